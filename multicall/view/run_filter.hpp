#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "multicall/view/run_view.hpp"

namespace onelane::multicall {

/// Which runs are wanted; an empty field, or 0, does not filter.
struct RunFilter {
  std::vector<std::string> statuses;  ///< Any of these: words of RunState or journal::Reason.
  std::string tool;
  std::string branch;
  std::string user;
  std::string agent;
  std::string command;             ///< Part of the command as shown.
  std::int64_t since_wall_ms = 0;  ///< Ended then or later, or still live.

  [[nodiscard]] bool matches(const RunView& run) const;
};

[[nodiscard]] bool is_status_word(std::string_view word) noexcept;

/// Looks at the bytes of a journal line, so that most lines need not be parsed. False only if the
/// record would not match.
class LineFilter {
 public:
  explicit LineFilter(const RunFilter& filter);
  [[nodiscard]] bool may_match(std::string_view line) const noexcept;
  /// The longest text that a matching line contains; empty if there is none.
  [[nodiscard]] std::string_view longest_part() const noexcept;

 private:
  std::vector<std::string> needed_;     ///< A matching line contains all of these.
  std::vector<std::string> forbidden_;  ///< A matching line contains none of these.
  std::int64_t since_wall_ms_;
};

/// Calls `visit` for at most `limit` runs that match, the live ones first, then from the newest
/// record on.
void for_each_run(const LanesHere& lanes, const RunFilter& filter, std::size_t limit,
                  const std::function<void(const RunView& run)>& visit);

}  // namespace onelane::multicall
