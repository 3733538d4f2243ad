#include "multicall/report/step_summary.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "multicall/report/job_summary.hpp"
#include "multicall/report/out_file.hpp"

namespace onelane::multicall {

bool append_step_summary(const History& history) {
  const char* summary = std::getenv("GITHUB_STEP_SUMMARY");
  if (summary == nullptr || *summary == '\0') {
    return false;
  }
  std::error_code none;
  const auto size = std::filesystem::file_size(summary, none);
  const std::size_t there = none ? 0 : std::min<std::size_t>(size, kLongestSummary);
  append_out(summary, markdown_of(history, kLongestSummary - there));
  return true;
}

}  // namespace onelane::multicall
