#include "multicall/report/hours.hpp"

#include <algorithm>
#include <iterator>

#include "multicall/report/history.hpp"
#include "multicall/report/words.hpp"

namespace onelane::multicall {
namespace {

constexpr std::size_t kLongestTool = 100;
constexpr const char* kOthers = "…";
constexpr int kLonger = 24;

void add_to(HourOfRuns& sum, const HourOfRuns& other) {
  sum.runs += other.runs;
  sum.not_passed += other.not_passed;
  sum.ended += other.ended;
  sum.waited_ms += other.waited_ms;
  sum.duration_ms += other.duration_ms;
  sum.largest_kb = std::max(sum.largest_kb, other.largest_kb);
}

}  // namespace

std::size_t HourSums::index_of(std::string_view tool) {
  std::string name = clean_text(tool, kLongestTool);
  auto found = std::ranges::find(tools_, name);
  if (found == tools_.end() && tools_.size() + 1 >= kMostTools) {
    name = kOthers;
    found = std::ranges::find(tools_, name);
  }
  if (found == tools_.end()) {
    found = tools_.insert(tools_.end(), std::move(name));
  }
  return static_cast<std::size_t>(found - tools_.begin());
}

void HourSums::make_longer() {
  length_ *= kLonger;
  Rows longer;
  for (const auto& [key, sum] : rows_) {
    add_to(longer[{key.first / kLonger, key.second}], sum);
  }
  rows_ = std::move(longer);
}

void HourSums::add(const journal::Record& record) {
  const Outcome outcome = outcome_of(record);
  add_to(rows_[{start_of(record) / length_.count(), index_of(record.tool)}],
         {.runs = 1,
          .not_passed = outcome == Outcome::Passed ? 0U : 1U,
          .ended = outcome == Outcome::Ended ? 1U : 0U,
          .waited_ms = std::max<std::int64_t>(0, record.waited_ms),
          .duration_ms = end_of(record) - start_of(record),
          .largest_kb = record.peak_tree_kb});
  if (rows_.size() > kMostRows) {
    make_longer();
  }
}

}  // namespace onelane::multicall
