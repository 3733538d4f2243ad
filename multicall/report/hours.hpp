#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/journal/record.hpp"

namespace onelane::multicall {

/// Runs of one tool that began in the same hour.
struct HourOfRuns {
  std::uint64_t runs = 0;
  std::uint64_t not_passed = 0;
  std::uint64_t ended = 0;  ///< Of those, the ones that were ended at a limit.
  std::int64_t waited_ms = 0;
  std::int64_t duration_ms = 0;
  std::uint64_t largest_kb = 0;  ///< The most memory that one of them used.
};

/// Sums runs up by hour and tool, for a report that cannot show each of them. Where that would be
/// more than kMostRows, by the day, and so on; of more than kMostTools the others are one.
class HourSums {
 public:
  static constexpr std::size_t kMostRows = 40'000;
  static constexpr std::size_t kMostTools = 40;

  void add(const journal::Record& record);

  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  /// What an "hour" is: longer than one where there are too many.
  [[nodiscard]] std::chrono::milliseconds length() const noexcept { return length_; }
  /// Printable.
  [[nodiscard]] const std::vector<std::string>& tools() const noexcept { return tools_; }
  /// In the order of time. The key is the number of the hour since the epoch (the time over
  /// length()) and the index of the tool.
  using Rows = std::map<std::pair<std::int64_t, std::size_t>, HourOfRuns>;
  [[nodiscard]] const Rows& rows() const noexcept { return rows_; }

 private:
  std::size_t index_of(std::string_view tool);
  void make_longer();

  std::chrono::milliseconds length_ = std::chrono::hours{1};
  std::vector<std::string> tools_;
  Rows rows_;
};

}  // namespace onelane::multicall
