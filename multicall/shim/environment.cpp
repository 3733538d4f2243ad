#include "multicall/shim/environment.hpp"

#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace onelane::multicall {
namespace {

constexpr std::size_t kMostRuns = 8;  ///< In ONELANE_HELD; the outermost are dropped.

bool is_ours(std::string_view entry) {
  return entry.starts_with("ONELANE_HELD=") || entry.starts_with("ONELANE_AT=") ||
         entry.starts_with("ONELANE_QUEUE_START=") || entry.starts_with("ONELANE_BATCH=") ||
         entry.starts_with("ONELANE_LABEL=") || entry.starts_with("SEQUENTIAL_EXECUTOR_PID=");
}

bool is_replaced(std::string_view entry, const ToolEnvironment::Variables& more) {
  return std::ranges::any_of(more, [&](const auto& variable) {
    const std::string& name = variable.first;
    return entry.starts_with(name) && entry.size() > name.size() && entry[name.size()] == '=';
  });
}

std::string held_value(std::string_view before, const std::string& run_id) {
  while (static_cast<std::size_t>(std::ranges::count(before, ',')) + 1 >= kMostRuns) {
    before.remove_prefix(before.find(',') + 1);
  }
  std::string value{before};
  if (!value.empty() && !run_id.empty()) {
    value += ',';
  }
  return value + run_id;
}

}  // namespace

ToolEnvironment::ToolEnvironment(const std::string& run_id, const std::string& at,
                                 const Variables& more) {
  std::string_view before;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    if (text.starts_with("ONELANE_HELD=")) {
      before = text.substr(std::string_view{"ONELANE_HELD="}.size());
    }
    if (!is_ours(text) && !is_replaced(text, more)) {
      pointers_.push_back(*entry);
    }
  }
  own_.push_back("ONELANE_HELD=" + held_value(before, run_id));
  if (!at.empty()) {
    own_.push_back("ONELANE_AT=" + at);
  }
  own_.push_back("SEQUENTIAL_EXECUTOR_PID=" + std::to_string(::getpid()));
  for (const auto& [name, value] : more) {
    own_.push_back(name + "=" + value);
  }
  for (const std::string& entry : own_) {
    pointers_.push_back(entry.c_str());
  }
  pointers_.push_back(nullptr);
}

}  // namespace onelane::multicall
