#include "multicall/context/lane_call.hpp"

#include <algorithm>

#include "core/lane/nesting.hpp"
#include "core/process/guardian.hpp"
#include "core/sys/file_descriptor.hpp"
#include "core/tool/find.hpp"
#include "multicall/context/call.hpp"

namespace onelane::multicall {
namespace {

/// True for a shim, or an onelane command that runs another one in the foreground; not for a
/// guardian or any other onelane command.
bool is_call_of_onelane(pid_t pid) {
  const auto stat = sys::read_stat(pid);
  const std::string program = "/proc/" + std::to_string(pid) + "/exe";
  if (!stat || std::string_view{stat->name.data()} == process::kGuardianName ||
      !tool::is_onelane(program.c_str())) {
    return false;
  }
  const std::vector<std::string> words = sys::arguments(pid);
  if (words.empty()) {
    return false;
  }
  const std::string name = words[0].substr(words[0].rfind('/') + 1);
  if (!is_command_name(name) || name != "onelane") {
    return true;
  }
  return words.size() > 1 && words[1] == "run" &&
         std::ranges::find(words, "--detach") == words.end();
}

/// True in the middle of execve(2), when /proc shows neither the old nor the new arguments.
bool is_in_exec(pid_t pid) {
  const auto stat = sys::read_stat(pid);
  const std::string path = "/proc/" + std::to_string(pid) + "/environ";
  const auto environment = sys::read_small_file(path.c_str(), 1U << 20U);
  return stat && !stat->has_ended() && !stat->is_exiting && environment && environment->empty() &&
         sys::arguments(pid).empty();
}

/// True if `run_id` is the innermost run in the process's ONELANE_HELD.
bool is_of_run(pid_t pid, std::string_view run_id) {
  const auto held = sys::initial_environment(pid, "ONELANE_HELD");
  return held && std::string_view{*held}.substr(held->rfind(',') + 1) == run_id;
}

}  // namespace

process::LaneCallTest lane_call_test(std::string lane_dir) {
  return [lane_file = std::move(lane_dir) + "/lane"](const sys::ProcessId& id,
                                                     std::string_view run_id) {
    const auto at = sys::initial_environment(id.pid, "ONELANE_AT");
    if (at && tool::is_lane_call(*at, id)) {
      return run_id.empty() || is_of_run(id.pid, run_id);
    }
    if (run_id.empty() && is_in_exec(id.pid)) {
      return true;  // maybe a shim becoming its tool: the caller looks again
    }
    if (!run_id.empty() || !is_call_of_onelane(id.pid)) {
      return false;  // a call of onelane that still waits is not in the lane yet
    }
    const auto lane = lane::lane_file_of(id.pid);
    return !lane || *lane == lane_file;
  };
}

}  // namespace onelane::multicall
