#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "multicall/view/run_view.hpp"

namespace onelane::multicall {

/// Which runs are wanted; what is empty or 0 filters nothing.
struct RunFilter {
  std::vector<std::string> statuses;  ///< Any of them: words of RunState or journal::Reason.
  std::string tool;
  std::string branch;
  std::string user;
  std::string agent;
  std::string command;             ///< Part of the command as it is shown.
  std::int64_t since_wall_ms = 0;  ///< Ended then or later, or still live.

  [[nodiscard]] bool matches(const RunView& run) const;
};

[[nodiscard]] bool is_status_word(std::string_view word) noexcept;

/// Looks at the bytes of a journal line, so that most lines need not be parsed: false only
/// where the record would not match.
class LineFilter {
 public:
  explicit LineFilter(const RunFilter& filter);
  [[nodiscard]] bool may_match(std::string_view line) const noexcept;

 private:
  std::vector<std::string> needed_;     ///< All are in a line that matches.
  std::vector<std::string> forbidden_;  ///< None is.
  std::int64_t since_wall_ms_;
};

/// Calls `visit` for at most `limit` runs that match, live ones first, then from the newest record
/// on.
void for_each_run(const LanesHere& lanes, const RunFilter& filter, std::size_t limit,
                  const std::function<void(const RunView& run)>& visit);

}  // namespace onelane::multicall
