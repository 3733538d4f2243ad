#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/journal/record.hpp"

namespace onelane::multicall::capture {

/// One stream of a command for `--json`: its last 16 MiB.
class Kept {
 public:
  void add(std::string_view text);
  void clear();
  /// A string, or {"base64": …} if it is not UTF-8.
  [[nodiscard]] nlohmann::json to_json() const;
  [[nodiscard]] bool is_cut() const noexcept { return is_cut_; }

 private:
  std::string text_;
  bool is_cut_ = false;
};

/// The result of a captured run.
struct Result {
  std::vector<journal::Record> attempts;  ///< Empty if nothing was run.
  Kept out;                               ///< Output of the last attempt.
  Kept err;
  int wait_status = 0;  ///< Of the whole run (waitpid(2)).
};

/// The object that `onelane run --json` prints.
[[nodiscard]] nlohmann::json to_json(const Result& result);

/// The line after the output of an attempt in a log, with its newline: "# onelane: run ID, attempt
/// 2: exit 1, took 2.3s, at most 45 MB".
[[nodiscard]] std::string log_line(const journal::Record& record);

}  // namespace onelane::multicall::capture
