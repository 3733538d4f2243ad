// What goes on in the background, and who keeps the lane for it; settle.cpp has the rest of the
// end.
#include <sys/stat.h>

#include <algorithm>
#include <span>

#include "core/process/supervisor.hpp"

namespace onelane::process {
namespace {

/// The program of `pid` is ours.
bool is_of_our_program(pid_t pid) noexcept {
  struct stat own {};
  struct stat other {};
  const std::string path = "/proc/" + std::to_string(pid) + "/exe";
  return ::stat("/proc/self/exe", &own) == 0 && ::stat(path.c_str(), &other) == 0 &&
         own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

/// What ends one that nothing but its stdio speaks for, and the words that would.
std::string remark_on(const KeptProcess& process, const std::string& run_id) {
  if (process.sorted != Leftover::Loose) {
    return {};
  }
  return (run_id.empty() ? "" : "; `onelane stop " + run_id + "` ends it") +
         "; to keep it, start it with nohup or setsid, or list it in KEEP";
}

}  // namespace

// What is on its way to its tool would be taken for what it is now.
bool Supervisor::may_become_lane_call(const std::vector<KeptProcess>& kept) const {
  return hooks_.in_background && run_.is_lane_call &&
         std::ranges::any_of(kept, [](const KeptProcess& process) {
           const auto stat = sys::read_stat(process.id.pid);
           return process.sorted != Leftover::Listed && stat &&
                  (stat->has_not_executed || is_of_our_program(process.id.pid) ||
                   sys::arguments(process.id.pid).empty());  // in the middle of execve(2)
         });
}

void Supervisor::say_kept(const std::vector<KeptProcess>& kept) const {
  for (const KeptProcess& process : kept) {
    const std::string words = process.command + " (pid " + std::to_string(process.id.pid) + ")";
    if (process.is_background) {
      say(run_.name + " left " + words + " in the background; the lane is kept until it has ended");
    } else if (process.sorted != Leftover::Listed) {
      say(run_.name + " left running: " + words + remark_on(process, run_.run_id));
    }
  }
}

std::vector<sys::ProcessId> Supervisor::background_roots(
    const std::vector<KeptProcess>& kept) const {
  std::vector<sys::ProcessId> out;
  for (const KeptProcess& process : kept) {
    if (process.is_background) {
      out.push_back(process.id);
    }
  }
  return out;
}

// A call that is on its way to its tool may still find itself nested, and be taken for something
// that is no lane call. So from one moment on none is nested, and then we look again: those that
// were before are known as what they are.
bool Supervisor::hand_over(std::vector<KeptProcess>& kept) {
  constexpr int kMostGuardians = 3;
  const auto may_become_one = [](const KeptProcess& process) {
    return process.sorted != Leftover::Listed;
  };
  if (!hooks_.in_background || !run_.is_lane_call || std::ranges::none_of(kept, may_become_one) ||
      !hooks_.in_background({}, sys::self_id())) {
    return false;
  }
  kept = sort_members().kept;
  const auto roots = background_roots(kept);
  for (int i = 0; i < kMostGuardians && !roots.empty(); ++i) {
    if (guardian_.pid() < 0) {
      start_guardian();
    }
    const auto guardian = sys::read_stat(guardian_.pid());
    if (!guardian || guardian->has_ended()) {
      guardian_.reap();
      continue;
    }
    guardian_.publish(std::span<const sys::ProcessId>{roots});
    if (hooks_.in_background(kept, guardian->id) && guardian_.keep_watch()) {
      hooks_.handed_over();
      return true;
    }
  }
  std::ranges::for_each(kept, [](KeptProcess& process) { process.is_background = false; });
  return false;
}

}  // namespace onelane::process
