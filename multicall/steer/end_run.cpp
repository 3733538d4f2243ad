#include "multicall/steer/end_run.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <set>
#include <utility>

#include "core/process/signals.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/process.hpp"
#include "core/sys/users.hpp"
#include "multicall/context/supervisor_check.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/view/lane_view.hpp"
#include "multicall/view/orphan_rows.hpp"

namespace onelane::multicall {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kRepeatOrder{1'000};
constexpr milliseconds kBeyondObedience{5'000};
constexpr milliseconds kForcedObedience{2'000};  ///< On top of one kill timeout.
constexpr milliseconds kBeyondGuardian{15'000};
constexpr milliseconds kForcedGuardian{5'000};
constexpr milliseconds kLastSteps{3'000};  ///< From the ticket's end to the supervisor's.

/// Ends one run.
class RunEnder {
 public:
  RunEnder(const lane::Table& table, const lane::LiveTicket& ticket, milliseconds kill_timeout,
           Manner manner)
      : table_{table},
        entry_{ticket.entry},
        slot_{ticket.slot},
        kill_timeout_{kill_timeout},
        is_forceful_{manner == Manner::Forceful} {
    open_supervisor();
    watch_ = sys::lift(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (watch_.is_open()) {
      (void)::inotify_add_watch(watch_.get(), table.path().c_str(),
                                IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF);
    }
  }

  RunEnd run() {
    if (!pidfd_.is_open() && sys::exists(entry_.supervisor())) {
      return {false, "the kernel gives no pidfd of its supervisor"};
    }
    next_order_ = sys::monotonic_time();
    give_up_ = next_order_ + (is_forceful_ ? kill_timeout_ + kForcedObedience
                                           : 2 * kill_timeout_ + kBeyondObedience);
    while (is_live()) {
      if (is_forged()) {
        return {false, spared_words({entry_, slot_})};
      }
      const auto now = sys::monotonic_time();
      turn_to_keeper();
      if (!guardian_works_ && !pidfd_.is_open()) {
        guardian_works_ = true;
        next_order_ = now;
        give_up_ = now + kill_timeout_ + (is_forceful_ ? kForcedGuardian : kBeyondGuardian);
      }
      if (now >= give_up_) {
        if (auto failed = use_force(now)) {
          return *failed;
        }
      } else if (now >= next_order_) {
        if (const int error = guardian_works_ ? rouse_guardian() : order()) {
          return {false, refusal(error)};
        }
        next_order_ = now + kRepeatOrder;
      }
      wait(next_order_ - now);
    }
    see_off();
    return {true, {}};
  }

 private:
  void open_supervisor() {
    pidfd_ = sys::lift(static_cast<int>(::syscall(SYS_pidfd_open, entry_.pid, 0)));
    if (pidfd_.is_open() && !sys::exists(entry_.supervisor())) {
      pidfd_.reset();
    }
  }

  /// If the tool has ended meanwhile and left lane calls in the background, goes on with the
  /// guardian that keeps the lane for them.
  void turn_to_keeper() {
    const auto now = table_.entries(slot_ + 1)[slot_];
    if (!guardian_works_ && now.sequence == entry_.sequence &&
        now.state == lane::State::Background && now.supervisor() != entry_.supervisor()) {
      entry_ = now;
      open_supervisor();
      next_order_ = sys::monotonic_time();
    }
  }

  /// Waits for the supervisor, which outlives its ticket: until it ends, kept processes are below
  /// it.
  void see_off() const {
    pollfd polled{pidfd_.get(), POLLIN, 0};
    if (pidfd_.is_open()) {
      (void)::poll(&polled, 1, static_cast<int>(kLastSteps.count()));
    }
  }

  [[nodiscard]] bool is_live() const {
    return lane::find_live(table_, lane::view(entry_.run_id)).has_value();
  }

  [[nodiscard]] bool may_signal() const {
    return why_spared(table_, {entry_, slot_}) == process::Spared::No;
  }

  /// True if the entry names a process that has nothing to do with it. Checks twice: a supervisor
  /// gives up its place just before it ends, but not while its entry is there.
  [[nodiscard]] bool is_forged() const {
    if (!pidfd_.is_open() || may_signal()) {
      return false;
    }
    const auto stat = sys::read_stat(entry_.pid);
    const bool is_ending =
        !stat || stat->id != entry_.supervisor() || stat->has_ended() || stat->is_exiting;
    return !is_ending && is_live() && !may_signal();
  }

  [[nodiscard]] int order() const {
    if (!may_signal()) {
      return 0;
    }
    const int error = process::order_stop(
        pidfd_.get(), is_forceful_ ? process::StopCause::Stolen : process::StopCause::Asked);
    if (error == 0 && sys::is_stopped(entry_.supervisor())) {
      (void)!::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGCONT, nullptr, 0);
    }
    return error == ESRCH ? 0 : error;
  }

  /// Kills what did not obey. Returns a failure if there is nothing left to try.
  std::optional<RunEnd> use_force(nanoseconds now) {
    if (!guardian_works_ && !killed_) {
      killed_ = true;
      if (may_signal()) {
        (void)!::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
      }
    } else if (guardian_works_ && is_forceful_ && !guardian_killed_) {
      guardian_killed_ = true;
      signal_guardian(SIGKILL);  // what it leaves is for clear_remains()
    } else {
      return RunEnd{false, guardian_works_ ? "its guardian does not come to an end"
                                           : "even SIGKILL does not end its supervisor"};
    }
    next_order_ = give_up_ = now + kBeyondGuardian;
    return std::nullopt;
  }

  /// A guardian that was stopped (SIGSTOP) would hold the lane forever.
  [[nodiscard]] int rouse_guardian() const {
    signal_guardian(SIGCONT);
    return 0;
  }

  void signal_guardian(int signal) const {
    for (const pid_t pid : lane::owners_of(table_, slot_)) {
      const auto pidfd = sys::lift(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
      // Check again, now that the pidfd pins the process.
      if (pidfd.is_open() && why_spared(table_, {entry_, slot_}, pid) == process::Spared::No) {
        (void)!::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
      }
    }
  }

  [[nodiscard]] std::string refusal(int error) const {
    return error == EPERM
               ? "it belongs to " + sys::user_name(entry_.uid) + ": only they and root may end it"
               : std::string{std::strerror(error)};
  }

  /// Blocks until the supervisor ends, the table changes, or `limit` has passed.
  void wait(nanoseconds limit) {
    std::array<pollfd, 2> polled{pollfd{pidfd_.get(), POLLIN, 0}, pollfd{watch_.get(), POLLIN, 0}};
    const auto pause = std::chrono::ceil<milliseconds>(std::max(limit, nanoseconds{0}));
    (void)::poll(polled.data(), polled.size(), static_cast<int>(pause.count()));
    if ((polled[0].revents & POLLIN) != 0) {
      pidfd_.reset();
    }
    alignas(inotify_event) std::array<char, 4096> events;
    while (watch_.is_open() && ::read(watch_.get(), events.data(), events.size()) > 0) {
    }
  }

  const lane::Table& table_;
  lane::Entry entry_;
  const std::size_t slot_;
  const milliseconds kill_timeout_;
  const bool is_forceful_;
  nanoseconds next_order_{};
  nanoseconds give_up_{};
  bool guardian_works_ = false;
  bool killed_ = false;
  bool guardian_killed_ = false;
  sys::FileDescriptor pidfd_;  ///< The supervisor; closed once it has ended.
  sys::FileDescriptor watch_;
};

/// Why `stop` spares a process, for people.
std::string_view spared_words(std::string_view why) {
  return why == "listed"     ? "which is on the keep list"
         : why == "terminal" ? "which has a terminal of its own"
         : why == "detached" ? "which has left the run's session"
                             : "which the run has written down as kept";
}

}  // namespace

RunEnd end_run(const lane::Table& table, const lane::LiveTicket& ticket, milliseconds kill_timeout,
               Manner manner) {
  if (ticket.entry.pid_namespace != sys::pid_namespace()) {
    return {false, "it runs in another container (PID namespace): stop it from in there"};
  }
  const auto above = sys::ancestry_of(::getpid()).chain;
  if (std::ranges::any_of(above,
                          [&](const auto& stat) { return stat.id == ticket.entry.supervisor(); })) {
    return {false, "this call is a part of it"};
  }
  return RunEnder{table, ticket, kill_timeout, manner}.run();
}

Remains clear_remains(const std::string& run_id, process::OrphanRules rules,
                      milliseconds kill_timeout) {
  const auto is_onelane = rules.is_onelane;
  // The whole tree of the run has to end, including runs below it with supervisors of their own.
  rules.live_runs = {};
  rules.whole_tree = true;
  rules.is_wanted = [&run_id](std::string_view id) { return id == run_id; };
  process::OrphanWatch watch{std::move(rules)};
  Remains remains;
  auto scan = watch.scan();
  if (!scan.orphans.empty()) {
    const std::array<std::string, 1> runs{run_id};
    remains.left = process::end_orphans(watch, runs, kill_timeout).left;
    scan = watch.scan();
  }
  remains.kept = std::move(scan.kept);
  // A guardian of a run below it is still clearing away, and ends by itself.
  std::erase_if(remains.kept, [&](const process::Orphan& kept) {
    return is_onelane && is_onelane(kept.stat.id.pid);
  });
  return remains;
}

bool Endings::end(const Found& found, Manner manner) {
  const std::string name = name_of(found);
  const auto kill_timeout = lanes_.settings.kill_timeout.value;
  const RunEnd result = end_run(*found.table, found.ticket, kill_timeout, manner);
  if (!result.ended) {
    say_always(name + " has not ended: " + result.why);
    code_ = 1;
    return false;
  }
  tell("ended " + name);
  ended_.push_back(found.id());
  clear(found.id());
  return true;
}

void Endings::clear(const std::string& id) {
  process::OrphanRules rules = orphan_rules(&lanes_, book_);
  rules.occasion = process::Occasion::Stop;
  const Remains remains = clear_remains(id, std::move(rules), lanes_.settings.kill_timeout.value);
  std::set<pid_t> named;
  for (const process::Orphan& kept : remains.kept) {
    named.insert(kept.stat.id.pid);
    name_kept(kept.stat.id, id, word_of(kept.sorted));
  }
  for (const auto& stat : remains.left) {
    named.insert(stat.id.pid);
  }
  // The run itself may have kept processes whose id we cannot read.
  for (const lane::Kept& kept : kept_by(lanes_)) {
    if (lane::view(kept.run_id) == id && named.insert(kept.pid).second) {
      name_kept({kept.pid, kept.start}, id, "recorded");
    }
  }
  for (const auto& stat : remains.left) {
    say_always(fmt::format("still there after SIGKILL: {} (pid {})",
                           sys::command_line(stat.id.pid, 80), stat.id.pid));
    left_.push_back(stat.id.pid);
    code_ = 1;
  }
}

void Endings::name_kept(const sys::ProcessId& id, const std::string& run, std::string_view why) {
  const std::string command = sys::command_line(id.pid, 80);
  tell(fmt::format("left running: {} (pid {}), {}", command, id.pid, spared_words(why)));
  kept_.push_back({{"pid", id.pid}, {"command", command}, {"run", run}, {"why", why}});
}

void Endings::tell(const std::string& line) const {
  if (!as_json_) {
    print(line + "\n");
  }
}

nlohmann::json Endings::report() const {
  return {{"schema", 1}, {"ended", ended_}, {"kept", kept_}, {"left", left_}};
}

}  // namespace onelane::multicall
