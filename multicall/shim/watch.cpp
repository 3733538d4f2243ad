#include "multicall/shim/watch.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <utility>

#include "core/guard/guard.hpp"
#include "core/process/ending.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "core/sys/users.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/context/limits.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall {
namespace {

constexpr std::chrono::seconds kGroupAfter{1};
constexpr std::size_t kMostMoved = 64;  ///< With a fork bomb, one move takes a quarter of a second.
constexpr std::chrono::seconds kPatrolAfter{2};

process::Order order_of(guard::Ruling::Order order) {
  return order == guard::Ruling::Order::Kill  ? process::Order::Kill
         : order == guard::Ruling::Order::End ? process::Order::End
                                              : process::Order::GoOn;
}

/// False for git, for calls that may wait in an editor or prompt, for services and, outside
/// `onelane run`, for what reads a terminal: waiting for a person must not break a limit.
bool has_time_limits(const Plan& plan, bool reads_terminal) {
  return plan.decision.cls == shims::Class::Lane && plan.call->name != "git" &&
         (plan.wait_for_all || !reads_terminal);
}

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

void Watch::note_launch() {
  reads_terminal_ = ::isatty(0) == 1;  // now: the supervisor closes the caller's descriptors
  lock_before_ = see_index_lock(plan_.project.git_dir);
}

void Watch::begin() {
  limits_ = limits_of(plan_.settings, has_time_limits(plan_, reads_terminal_));
  measure_.emplace(limits_);
  guard_.emplace(limits_, before_);
}

// The tool stayed within its limits. LINGER bounds what it left, which does not affect the tool's
// own result.
void Watch::note_end_of_tool() {
  tool_counts_ = guard_->breach().has_value();
  end_time_limits();
}

void Watch::end_time_limits() {
  limits_.lift(guard::Unit::Milliseconds);
}

process::Judgement Watch::judge(const process::Scene& scene) noexcept {
  try {
    return look(scene);
  } catch (const std::exception&) {
    return {process::Order::GoOn, spares_kept_};
  }
}

process::Judgement Watch::look(const process::Scene& scene) {
  if (!guard_) {
    begin();
  }
  if (scene.tool_has_ended && tool_counts_ && !plan_.waits_for_all()) {
    note_end_of_tool();
  }
  use_group(scene.members, scene.running);
  const guard::Sample sample = measure_->take(scene.members);
  const guard::Ruling ruling = guard_->judge(sample, scene.running, guard::is_largest_run);
  if (ruling.order != guard::Ruling::Order::GoOn && !looked_for_owner_) {
    looked_for_owner_ = true;
    lock_owner_ = find_index_lock_owner(plan_.project.git_dir, scene.members);
  }
  if (ruling.breach) {
    spares_kept_ = scene.tool_has_ended;
    end(*ruling.breach, sample);
  }
  tell(ruling);
  if (ruling.order == guard::Ruling::Order::Kill && group_ && !spares_kept_) {
    (void)group_->kill_all();  // at once; the supervisor ends members that are not in the group
  }
  if (!guard_->breach()) {
    look_for_orphans(scene.running);  // never while there is something to end
  }
  // A limit that is broken while the tool runs ends kept processes as well.
  return {order_of(ruling.order), spares_kept_, ruling.next, ruling.peek};
}

// Moving a process may take the kernel milliseconds, so a short run gets no group unless the user
// has set a weight.
void Watch::use_group(std::span<const sys::ProcessStat> members, std::chrono::nanoseconds running) {
  const bool has_weight = plan_.settings.cpu_weight.value != 0;
  if (!plan_.settings.cgroup.value || run_id_.empty() || members.size() > kMostMoved ||
      (running < kGroupAfter && !has_weight)) {
    return;
  }
  if (!tried_group_) {
    tried_group_ = true;
    (void)guard::sweep_abandoned();
    group_ = guard::Cgroup::make(run_id_);
    if (group_ && has_weight) {
      (void)group_->set_cpu_weight(static_cast<unsigned>(plan_.settings.cpu_weight.value));
    }
    if (group_) {
      measure_->use_charge([this] { return group_->memory(); });
    }
  }
  if (group_) {
    std::vector<pid_t> pids;
    for (const sys::ProcessStat& member : members) {
      pids.push_back(member.id.pid);
    }
    (void)group_->add_missing(pids);
  }
}

// The first scan reads the environment of every process: too much for a short run.
void Watch::look_for_orphans(std::chrono::nanoseconds running) {
  if (run_id_.empty() || running < kPatrolAfter) {
    return;
  }
  if (!patrol_) {
    patrol_ = std::make_unique<OrphanPatrol>(
        plan_.project, plan_.settings,
        [this](const std::string& line) { say_line(line, journal::Level::Warning); });
  }
  try {
    patrol_->look();
  } catch (const sys::SystemError&) {
    patrol_.reset();  // the lane or /proc cannot be read now; the next look starts again
  }
}

void Watch::finish() {
  if (group_) {
    (void)group_->release();
  }
}

void Watch::end(const guard::Breach& breach, const guard::Sample& sample) {
  card_ = guard::make_card(limits_, breach, sample, guard_->curve());
  card_->run = command_line(*plan_.call, 60);
  card_->run_id = run_id_;
  for (const std::string& line : guard::lines_of(*card_)) {
    say_line(line, journal::Level::Error);
  }
  for (const std::string& line : guard::tree_lines_of(*card_)) {
    log_->write(journal::Level::Error, line);
  }
}

void Watch::tell(const guard::Ruling& ruling) {
  for (const guard::Warning& warning : ruling.warnings) {
    ++warnings_;
    say_line(command_line(*plan_.call, 60) + ": " + guard::line_of(warning),
             journal::Level::Warning);
  }
}

void Watch::note_stop(const process::Signals::Arrived& order) {
  if (std::exchange(stopped_, true)) {
    return;
  }
  const std::string call = command_line(*plan_.call, 60);
  if (order.cause == process::StopCause::TimeIsOver) {
    say_line(call + ": ended by onelane queue (pid " + std::to_string(order.sender) +
             "): its --pipeline-timeout is over");
    return;
  }
  const bool is_stolen = order.cause == process::StopCause::Stolen;
  say_line(call + ": stopped by " + sys::user_name(order.user) + " (pid " +
           std::to_string(order.sender) + (is_stolen ? ", onelane steal)" : ", onelane stop)"));
}

std::optional<int> Watch::exit_code() const {
  if (!guard_ || !guard_->breach() || !tool_counts_) {
    return std::nullopt;
  }
  return guard::row_of(guard_->breach()->reason)->exit_code;
}

void Watch::say_left_lock(pid_t pid) {
  auto owner = lock_owner_;
  if (!owner && pid > 0) {
    owner = LockOwner{pid, command_line(*plan_.call, 60)};
  }
  if (const auto line = left_index_lock(plan_.project.git_dir, owner, lock_before_)) {
    say_always(*line);
  }
}

void Watch::say_line(const std::string& line, journal::Level level) {
  if (!log_) {
    const settings::Settings& settings = plan_.settings;
    journal::Retention retention;
    retention.age = std::chrono::days{settings.log_keep_days.value};
    retention.bytes = settings.log_max_mb.value << 20U;
    log_.emplace(log_directory(plan_.project, settings), run_id_, retention);
  }
  log_->write(level, line);
  if (!plan_.settings.quiet.value) {
    say(line);
  }
}

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
