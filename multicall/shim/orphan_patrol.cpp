#include "multicall/shim/orphan_patrol.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <utility>

#include "core/process/ending.hpp"
#include "core/sys/clock.hpp"

namespace onelane::multicall {
namespace {

constexpr std::chrono::seconds kBetween{5};

/// When a process started, in milliseconds since the epoch, rounded up to the next clock tick.
std::int64_t began(const sys::ProcessId& id) {
  static const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const auto since_boot = std::chrono::milliseconds{(id.start + 1) * 1000 / ticks};
  const auto ago =
      std::chrono::duration_cast<std::chrono::milliseconds>(sys::boot_time()) - since_boot;
  return sys::wall_milliseconds() - ago.count();
}

/// True if it has a pid in a namespace below ours as well, as in a container.
bool is_in_another_namespace(pid_t pid) {
  const auto text =
      sys::read_small_file(("/proc/" + std::to_string(pid) + "/status").c_str(), 16384);
  const std::size_t at = text ? text->find("\nNSpid:\t") : std::string::npos;
  return at != std::string::npos &&
         text->substr(at + 8, text->find('\n', at + 1) - at - 8).find('\t') != std::string::npos;
}

}  // namespace

OrphanPatrol::OrphanPatrol(const project::Project& project, const settings::Settings& settings,
                           std::function<void(const std::string& line)> say)
    : lanes_{lanes_of(project, settings)}, say_{std::move(say)} {}

// Only runs of this project count, so its own lanes know all that are live.
process::OrphanRules OrphanPatrol::rules() const {
  process::OrphanRules rules = orphan_rules(&lanes_, book_);
  rules.live_runs = [this] { return live_runs_of(lanes_); };
  rules.owner = book_.owner;  // strictly, also for runs of root: no user is asked
  return rules;
}

bool OrphanPatrol::is_certain(const process::Orphan& orphan) const {
  const auto is_parent = [&](const Told& told) { return told.id.pid == orphan.stat.parent; };
  const auto ended = book_.ended(orphan.run_id);
  const bool is_old_enough = ended && began(orphan.stat.id) < *ended;
  return (is_old_enough || std::ranges::any_of(told_, is_parent)) &&
         !is_in_another_namespace(orphan.stat.id.pid);
}

void OrphanPatrol::look() {
  const auto now = sys::monotonic_time();
  if (now < next_) {
    return;
  }
  next_ = now + kBetween;
  std::map<std::string, std::string> found;
  const process::OrphanScan scan = watch_.scan();
  std::erase_if(told_, [&](const Told& told) {
    return std::ranges::none_of(scan.orphans, [&](const auto& o) { return o.stat.id == told.id; });
  });
  for (const process::Orphan& orphan : scan.orphans) {  // parents first
    const sys::ProcessId& id = orphan.stat.id;
    const auto told = std::ranges::find(told_, id, &Told::id);
    if (told != told_.end()) {
      if (now >= told->at + lanes_.settings.kill_timeout.value) {
        (void)process::send_signal(id, SIGKILL);
      }
    } else if (is_certain(orphan)) {
      ++ended_;
      found[orphan.run_id] += " " + std::to_string(id.pid);
      (void)process::send_signal(id, SIGTERM);
      (void)process::send_signal(id, SIGCONT);
      told_.push_back({id, now});
    }
  }
  for (const auto& [run, pids] : found) {
    const std::string command = book_.command(run);
    say_("ending what run " + run + (command.empty() ? "" : " (" + command + ")") +
         " left behind: pid" + pids);
  }
}

}  // namespace onelane::multicall
