#include "core/process/members.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>

namespace onelane::process {
namespace {

/// True when `pid` runs our executable.
bool is_of_our_program(pid_t pid) noexcept {
  struct stat own {};
  struct stat other {};
  const std::string path = "/proc/" + std::to_string(pid) + "/exe";
  return ::stat("/proc/self/exe", &own) == 0 && ::stat(path.c_str(), &other) == 0 &&
         own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

}  // namespace

std::string list_of(const std::vector<sys::ProcessStat>& members) {
  std::string text;
  for (std::size_t i = 0; i < members.size() && i < 3; ++i) {
    text += (i == 0 ? "" : ", ") + sys::command_line(members[i].id.pid, 60) + " (pid " +
            std::to_string(members[i].id.pid) + ")";
  }
  return members.size() > 3 ? text + " and " + std::to_string(members.size() - 3) + " more" : text;
}

bool is_out_of_reach(pid_t pid) noexcept {
  return ::kill(pid, 0) != 0 && errno == EPERM;
}

Members::Members(const Run& run) : run_{run}, traits_{run.traits} {
  for (const pid_t child : sys::own_children()) {
    if (const auto stat = sys::read_stat(child)) {
      prior_.push_back(stat->id);
    }
  }
}

std::vector<sys::ProcessStat> Members::all() const {
  std::unordered_set<pid_t> foreign{helpers_.begin(), helpers_.end()};
  std::vector<sys::ProcessStat> out;
  for (const auto& stat : sys::descendants_of(::getpid())) {
    const bool prior = std::ranges::find(prior_, stat.id) != prior_.end();
    if (prior || foreign.contains(stat.parent) || foreign.contains(stat.id.pid)) {
      foreign.insert(stat.id.pid);
    } else if (!stat.has_ended()) {
      out.push_back(stat);
    }
  }
  return out;
}

Sorted Members::sort(Stage stage) const {
  Sorted out;
  std::unordered_set<pid_t> kept;
  std::unordered_set<pid_t> ended;
  const auto members = all();
  for (const auto& stat : members) {
    if (kept.contains(stat.parent)) {
      kept.insert(stat.id.pid);  // processes started by a kept one are not sorted
      continue;
    }
    const Leftover leftover = sort_leftover(stat, traits_, run_.keep);
    if (leftover == Leftover::Gone) {
      continue;
    }
    if (!lives_on(stat, leftover, stage)) {
      out.stragglers.push_back(stat);
      continue;
    }
    const bool out_of_reach = stage.is_ending && is_out_of_reach(stat.id.pid);
    const bool may_keep_lane = leftover != Leftover::Listed && leftover != Leftover::Elsewhere;
    const bool keeps_lane = may_keep_lane && !out_of_reach &&
                            !lane_calls_below(members, stat.id, run_.is_lane_call).empty();
    if (ended.contains(stat.parent) || (keeps_lane && stage.is_ordered)) {
      ended.insert(stat.id.pid);  // part of a run that is to end
      out.stragglers.push_back(stat);
      continue;
    }
    kept.insert(stat.id.pid);
    out.kept.push_back({stat.id, sys::command_line(stat.id.pid, 80), leftover, keeps_lane});
  }
  return out;
}

bool Members::lives_on(const sys::ProcessStat& stat, Leftover leftover, Stage stage) const {
  if (stat.id == tool_) {
    return false;  // the run is about this process, whatever it is
  }
  if (stage.is_ending && is_out_of_reach(stat.id.pid)) {
    return true;
  }
  const bool is_waited_for = run_.wait_for_all && leftover > Leftover::Listed;
  return is_spared(leftover, is_waited_for     ? Occasion::Everything
                             : was_cut_short() ? Occasion::Stop
                                               : Occasion::RunEnd);
}

bool Members::are_gone() const {
  return std::ranges::all_of(sys::own_children(), [&](pid_t pid) {
    return std::ranges::find(helpers_, pid) != helpers_.end();
  });
}

bool Members::may_become_lane_call(const std::vector<KeptProcess>& kept) const {
  return run_.is_lane_call && std::ranges::any_of(kept, [](const KeptProcess& process) {
           const auto stat = sys::read_stat(process.id.pid);
           return process.sorted != Leftover::Listed && stat &&
                  (stat->has_not_executed || is_of_our_program(process.id.pid) ||
                   sys::arguments(process.id.pid).empty());  // it is in the middle of execve(2)
         });
}

}  // namespace onelane::process
