#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::multicall::doctor {

enum class Level {
  Ok,
  Note,   ///< Worth knowing; not a failure.
  Wrong,  ///< Something goes round the lane, or the lane cannot work.
};

/// "ok", "note", "wrong": stable words.
[[nodiscard]] std::string_view word_of(Level level) noexcept;

/// What one look found. Text may hold names that others chose: clean it before printing.
struct Finding {
  std::string check;  ///< Name of the check that found it.
  Level level = Level::Ok;
  std::string what;     ///< One clause.
  std::string where;    ///< A path; empty when `what` says it all.
  std::string todo;     ///< What to do about it; empty for Ok.
  std::string command;  ///< Does it, ready to paste; empty if no single command does.
  /// Fixes it and returns what was done; empty if only the user may fix it. Touches only onelane's
  /// own files and lines. Throws SystemError.
  std::function<std::string()> fix;
};

/// The finding as shown to programs.
[[nodiscard]] nlohmann::json to_json(const Finding& finding);

/// Collects the findings of one check.
class Findings {
 public:
  explicit Findings(std::string_view check) : check_{check} {}

  void ok(std::string what) { list_.push_back({check_, Level::Ok, std::move(what)}); }
  void note(Finding finding) { add(std::move(finding), Level::Note); }
  void wrong(Finding finding) { add(std::move(finding), Level::Wrong); }
  [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
  [[nodiscard]] std::vector<Finding> take() { return std::move(list_); }

 private:
  void add(Finding finding, Level level) {
    finding.check = check_;
    finding.level = level;
    list_.push_back(std::move(finding));
  }

  std::string check_;
  std::vector<Finding> list_;
};

/// "git, make and npm".
[[nodiscard]] std::string list_words(const std::vector<std::string>& names);

}  // namespace onelane::multicall::doctor
