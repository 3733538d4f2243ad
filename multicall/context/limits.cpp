#include "multicall/context/limits.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "core/sys/memory.hpp"

namespace onelane::multicall {
namespace {

using std::chrono::milliseconds;

template <class T, class U>
guard::Limit<T> limit_of(const settings::Setting<U>& setting, T value, const char* name) {
  return {value, name, settings::place_of(setting.source), setting.source.key};
}

/// A built-in share of the machine's memory must fit into the container we are in.
std::uint64_t bytes_of(const settings::Setting<std::uint64_t>& setting, std::uint64_t most) {
  const std::uint64_t bytes = setting.value << 20U;
  const bool is_cut = setting.source.origin == settings::Origin::BuiltIn && most != 0;
  return is_cut ? std::min(bytes, most) : bytes;
}

/// Of the memory there is; all that bounds a built-in size.
struct Most {
  std::uint64_t memory = 0;
  std::uint64_t reserve = 0;
};

Most most_here() {
  const std::uint64_t total = sys::machine_memory().total;
  return {total / 5 * 4, total / 100 * 3};
}

guard::Limit<std::uint64_t> size_of(const settings::Setting<std::uint64_t>& setting,
                                    const char* name, std::uint64_t most) {
  return limit_of(setting, bytes_of(setting, most), name);
}

}  // namespace

guard::Limits size_limits_of(const settings::Settings& settings) {
  const Most most = most_here();
  guard::Limits limits;
  limits.memory = size_of(settings.memory_limit_mb, "MEMORY_LIMIT_MB", most.memory);
  limits.tree_memory = size_of(settings.tree_memory_limit_mb, "TREE_MEMORY_LIMIT_MB", most.memory);
  limits.processes =
      limit_of(settings.max_processes, settings.max_processes.value, "MAX_PROCESSES");
  limits.reserve = size_of(settings.system_reserve_mb, "SYSTEM_RESERVE_MB", most.reserve);
  limits.check_interval = settings.check_interval.value;
  return limits;
}

guard::Limits limits_of(const settings::Settings& settings, bool has_time_limits) {
  guard::Limits limits = size_limits_of(settings);
  if (has_time_limits) {
    limits.timeout = limit_of(settings.timeout, settings.timeout.value, "TIMEOUT");
    limits.pipeline_timeout =
        limit_of(settings.pipeline_timeout, settings.pipeline_timeout.value, "PIPELINE_TIMEOUT");
    limits.idle = limit_of(settings.idle_timeout, settings.idle_timeout.value, "IDLE_TIMEOUT");
    limits.idle_ends = settings.idle_action.value == settings::IdleAction::Kill;
  }
  return limits;
}

std::vector<settings::Row> limits_in_force(const settings::Settings& settings) {
  constexpr std::string_view kNames[] = {
      "memory_limit_mb", "tree_memory_limit_mb", "max_processes",     "timeout",
      "idle_timeout",    "pipeline_timeout",     "system_reserve_mb", "min_free_memory_mb",
      "max_load",        "max_memory_pressure"};
  const Most most = most_here();
  const auto megabytes = [](const settings::Setting<std::uint64_t>& setting, std::uint64_t limit) {
    return std::to_string(bytes_of(setting, limit) >> 20U);
  };
  std::vector<settings::Row> rows;
  for (settings::Row& row : settings::describe(settings)) {
    if (row.name == "memory_limit_mb") {
      row.value = megabytes(settings.memory_limit_mb, most.memory);
    } else if (row.name == "tree_memory_limit_mb") {
      row.value = megabytes(settings.tree_memory_limit_mb, most.memory);
    } else if (row.name == "system_reserve_mb") {
      row.value = megabytes(settings.system_reserve_mb, most.reserve);
    }
    if (std::ranges::find(kNames, row.name) != std::end(kNames)) {
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace onelane::multicall
