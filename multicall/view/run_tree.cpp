#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <unordered_map>

#include "core/process/guardian.hpp"
#include "core/sys/memory.hpp"
#include "multicall/view/lane_view.hpp"

namespace onelane::multicall {
namespace {

using Children = std::unordered_multimap<pid_t, const sys::ProcessStat*>;

std::filesystem::path program_of(pid_t pid) {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", error);
}

/// The canary shares the supervisor's memory: the same name, program and command line. A child that
/// is about to become the tool looks the same.
bool is_canary(const sys::ProcessStat& stat, const sys::ProcessStat& supervisor) {
  return stat.name == supervisor.name && !stat.has_ended() &&
         program_of(stat.id.pid) == program_of(supervisor.id.pid) &&
         sys::arguments(stat.id.pid) == sys::arguments(supervisor.id.pid);
}

/// Guardian and canary are children of the supervisor but not part of the run.
bool is_our_own(const sys::ProcessStat& stat, const sys::ProcessStat& supervisor,
                const sys::ProcessId& tool) {
  return stat.parent == supervisor.id.pid && stat.id != tool &&
         (std::string_view{stat.name.data()} == process::kGuardianName ||
          is_canary(stat, supervisor));
}

void add_below(std::vector<ProcessView>& out, const Children& children, pid_t parent, int depth) {
  constexpr int kDeepest = 200;
  const auto [begin, end] = children.equal_range(parent);
  std::vector<const sys::ProcessStat*> sorted;
  for (auto it = begin; it != end; ++it) {
    sorted.push_back(it->second);
  }
  std::ranges::sort(sorted, {}, [](const sys::ProcessStat* stat) { return stat->id.start; });
  for (const sys::ProcessStat* stat : sorted) {
    const auto exact = sys::read_memory(stat->id.pid);
    out.push_back({*stat, depth, exact.value_or(stat->has_ended() ? 0 : stat->resident)});
    if (depth < kDeepest) {
      add_below(out, children, stat->id.pid, depth + 1);
    }
  }
}

/// A process that is no longer a child of the supervisor, and its descendants.
void add_tree(std::vector<ProcessView>& out, pid_t pid) {
  const auto root = sys::read_stat(pid);
  if (!root) {
    return;
  }
  const auto all = sys::descendants_of(pid);
  Children children;
  for (const sys::ProcessStat& stat : all) {
    children.emplace(stat.parent, &stat);
  }
  out.push_back({*root, 0, sys::read_memory(pid).value_or(root->resident)});
  add_below(out, children, pid, 1);
}

}  // namespace

std::vector<ProcessView> processes_of(const TicketView& ticket) {
  std::vector<ProcessView> out;
  for (const lane::Kept& left : ticket.background) {
    add_tree(out, left.pid);
  }
  const pid_t pid = ticket.supervisor.pid;
  const auto supervisor = pid > 0 ? sys::read_stat(pid) : std::nullopt;
  if (!supervisor || supervisor->id != ticket.supervisor) {
    return out;
  }
  const auto all = sys::descendants_of(pid);
  Children children;
  for (const sys::ProcessStat& stat : all) {
    if (!is_our_own(stat, *supervisor, ticket.tool_process)) {
      children.emplace(stat.parent, &stat);
    }
  }
  add_below(out, children, pid, 0);
  return out;
}

}  // namespace onelane::multicall
