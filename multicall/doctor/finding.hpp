#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::multicall::doctor {

enum class Level {
  Ok,
  Note,   ///< Worth knowing; fails nothing.
  Wrong,  ///< Something goes round the lane, or the lane cannot work.
};

/// "ok", "note", "wrong": stable words.
[[nodiscard]] std::string_view word_of(Level level) noexcept;

/// What one look found. Text may hold names that others chose: whoever prints it cleans it.
struct Finding {
  std::string check;  ///< Name of the check that found it.
  Level level = Level::Ok;
  std::string what;     ///< One clause.
  std::string where;    ///< A path, empty when `what` says it all.
  std::string todo;     ///< What to do about it; empty for Ok.
  std::string command;  ///< That does it, ready to be pasted; empty when no single one does.
  /// Mends it and says what was done; empty where only the user may. Touches nothing but
  /// onelane's own files and lines. Throws SystemError.
  std::function<std::string()> fix;
};

/// As programs are shown it.
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
