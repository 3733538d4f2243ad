#include "multicall/shim/wait_turn.hpp"

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "core/lane/cycle.hpp"
#include "core/lane/nesting.hpp"
#include "core/lane/pipeline.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/memory.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/shim/notice.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall {
namespace {

using namespace std::chrono_literals;
using lane::Step;
using std::chrono::milliseconds;

constexpr auto kSettled = 100ms;  ///< A holder this old is not a short run.
/// Between the looks of two waiting calls at a new holder: a look takes about a millisecond.
constexpr auto kPerSlot = 2ms;
/// A whole look takes about 50 us for each other call, so where many wait theirs are spread: all of
/// them together take a fifth of a processor.
constexpr std::size_t kCrowd = 16;
constexpr auto kPerLook = 250us;
constexpr auto kSoon = 20ms;
constexpr milliseconds kAsk = 1s;
constexpr int kLooks = 2;

/// One wait: the steps of wait_turn() and their state.
class Wait {
 public:
  Wait(lane::Ticket& ticket, const process::Signals& signals, const WaitOptions& options)
      : ticket_{ticket},
        signals_{signals},
        options_{options},
        notice_{options.lane_name, options.state_dir, options.quiet},
        start_{sys::monotonic_time()} {}

  WaitEnd run() {
    for (;;) {
      Step step = Step::GateHeld;
      try {
        step = advance();
        tell_place();
        if (step == Step::Waiting && starts_beside()) {
          return {WaitEnd::End::Started, 0, notice_.finish()};
        }
      } catch (const lane::GateInterrupted&) {
        if (auto turn = take_signals()) {
          return *turn;
        }
        continue;
      }
      if (auto turn = finished(step)) {
        return *turn;
      }
      if (auto turn = given_up(step)) {
        ticket_.leave();
        notice_.clear();
        return *turn;
      }
      if (step == Step::Waiting && has_become_nested()) {
        ticket_.leave();
        notice_.clear();
        return {WaitEnd::End::Nested, 0, {}};
      }
      notice_.update(ticket_, step == Step::GateHeld ? gate_words(ticket_) : objection_);
      if (auto turn = sleep(step)) {
        return *turn;
      }
    }
  }

 private:
  /// Asks about the machine only when it is our turn: load and memory count at that moment.
  Step advance() {
    objection_.clear();
    if (!stop_where_asked()) {
      return Step::GateHeld;
    }
    Step step = ticket_.advance(options_.admission == nullptr);
    if (step == Step::Ready && options_.admission != nullptr) {
      objection_ = options_.admission->objection().value_or("");
      if (objection_.empty()) {
        step = ticket_.advance();
      }
    }
    return step;
  }

  void tell_place() {
    if (options_.placed && !has_told_place_ && ticket_.sequence() != 0) {
      has_told_place_ = true;
      options_.placed();
    }
  }

  std::optional<WaitEnd> finished(Step step) {
    switch (step) {
      case Step::Started:
        return WaitEnd{WaitEnd::End::Started, 0, notice_.finish()};
      case Step::Cancelled:
        ticket_.leave();
        notice_.clear();
        return WaitEnd{WaitEnd::End::GaveUp, 0, "cancelled while waiting"};
      case Step::Gone:
        ticket_.leave();
        notice_.clear();
        return WaitEnd{WaitEnd::End::Gone, 0, {}};
      case Step::Waiting:
      case Step::Held:
      case Step::Ready:
      case Step::GateHeld:
        return std::nullopt;
    }
    return std::nullopt;
  }

  /// A part of the holder's pipeline starts at once: each would wait for the other. Looks when the
  /// wait begins, when a new holder has had the lane for a while (Turn::tell_waiting) or another
  /// run has joined it, and again a second later, when a shell has started the rest of the
  /// pipeline. Not at each hand-over: with many waiting calls, their looks would take longer than
  /// short runs.
  bool starts_beside() {
    if (!ticket_.current()) {
      return false;
    }
    const std::uint64_t holder = ticket_.current()->sequence;
    const std::size_t beside = ticket_.runs_beside();
    const bool is_news = (was_held_ && ticket_.table().header().held == 0) || beside > beside_;
    if (holder != looked_at_ || is_news) {
      look_at_ = waited() + (looked_at_ == 0 || is_news
                                 ? 0ms
                                 : kSettled + static_cast<int>(ticket_.slot()) * kPerSlot);
      looked_at_ = holder;
      looks_ = 0;
      was_held_ = false;
    }
    beside_ = beside;
    if (looks_ == kLooks || waited() < look_at_) {
      return false;
    }
    const bool is_crowded = ticket_.waiting() > kCrowd;
    const auto look = looks_ > 0   ? lane::PipelineLook::Later
                      : is_crowded ? lane::PipelineLook::Near
                                   : lane::PipelineLook::AtOnce;
    ++looks_;
    look_at_ = waited() + 1s +
               (is_crowded ? static_cast<int>(ticket_.slot() * ticket_.waiting()) * kPerLook : 0us);
    const auto found = lane::find_pipeline(ticket_.table(), ticket_.reads_input(), look);
    if (!found) {
      was_held_ = ticket_.table().header().held != 0;  // then look again after `onelane release`
      return false;
    }
    if (ticket_.start_beside(found->run_id)) {
      return true;
    }
    looks_ = 0;  // the holder has ended, or is still clearing away after a killed run
    look_at_ = waited() + kSoon;
    return false;
  }

  /// A call that is made while the tool of its run ends may at first look nested neither in that
  /// run nor in what it left in the background.
  bool has_become_nested() {
    const auto& holder = ticket_.current();
    const bool may_be =
        holder && holder->state == lane::State::Background && options_.is_nested != nullptr;
    const auto keeper = may_be ? holder->supervisor() : sys::ProcessId{};
    // In the first seconds the list of background processes may not be written yet.
    const bool is_news = std::exchange(asked_about_, keeper) != keeper || waited() < 3s;
    return may_be && is_news && options_.is_nested();
  }

  /// On Ctrl-Z parks the ticket, stops us, and unparks it afterwards. False while the gate is held:
  /// call it again.
  bool stop_where_asked() {
    if (stop_signal_ != 0) {
      if (!ticket_.park()) {
        return false;
      }
      notice_.clear();
      is_parked_ = true;
      (void)process::stop_self(std::exchange(stop_signal_, 0));
    }
    is_parked_ = is_parked_ && !ticket_.unpark();
    return !is_parked_;
  }

  [[nodiscard]] std::chrono::nanoseconds waited() const { return sys::monotonic_time() - start_; }

  [[nodiscard]] bool is_no_wait() const { return options_.limit && options_.limit->count() == 0; }

  [[nodiscard]] std::string obstacle_words(Step step) const {
    if (step == Step::GateHeld) {
      return gate_words(ticket_);
    }
    const lane::Place place = ticket_.place();
    return step == Step::Held ? "the lane is " + hold_words(place.header) : holder_words(place);
  }

  std::optional<WaitEnd> given_up(Step step) {
    if (!objection_.empty() && (is_no_wait() || options_.admission->refuses())) {
      return WaitEnd{WaitEnd::End::GaveUp, 0, "not started: " + objection_};
    }
    if (is_no_wait()) {
      const bool is_taken = step != Step::Held && step != Step::GateHeld;
      return WaitEnd{WaitEnd::End::GaveUp, 0,
                     (is_taken ? "the lane is taken; " : "") + obstacle_words(step)};
    }
    if (options_.limit && waited() >= *options_.limit) {
      return WaitEnd{options_.run_when_over ? WaitEnd::End::Unqueued : WaitEnd::End::GaveUp, 0,
                     "gave up after " + duration_words(waited()) + " in the queue (" +
                         (options_.run_when_over ? "GIT_LOCK_WAIT" : "QUEUE_TIMEOUT") + "); " +
                         obstacle_words(step)};
    }
    if (step == Step::GateHeld) {
      return std::nullopt;  // no run is to blame: the checks below do not apply
    }
    if (options_.unprovable) {
      if (auto turn = unproven()) {
        return turn;
      }
    }
    // At once, and again a second later, when the other calls of a cycle have had time to enqueue.
    if (cycle_checks_ == 0 || (cycle_checks_ == 1 && waited() >= 1s)) {
      if (cycle_checks_++ == 0) {
        ticket_.set_above(lane::runs_above(ticket_.table().path()));
      }
      if (const auto cycle = lane::find_cycle(ticket_)) {
        return WaitEnd{options_.run_on_deadlock ? WaitEnd::End::Unqueued : WaitEnd::End::GaveUp, 0,
                       "deadlock: " + *cycle};
      }
    }
    return std::nullopt;
  }

  /// A holder that we cannot see may be waiting for us. A person can tell, so say it at once.
  std::optional<WaitEnd> unproven() {
    if (!said_unprovable_) {
      said_unprovable_ = true;
      const std::string holder = "the holder of lane '" + options_.lane_name + "' ";
      say_always(options_.is_hidden
                     ? holder +
                           "may be an ancestor of this call that /proc hides (hidepid); if "
                           "this call was made by it, pass its ONELANE_HELD variable on"
                     : holder +
                           "is in another PID namespace; if this call was made by it, pass "
                           "its ONELANE_HELD variable into the container");
    }
    if (waited() < options_.namespace_wait) {
      return std::nullopt;
    }
    return WaitEnd{options_.run_on_deadlock ? WaitEnd::End::Unqueued : WaitEnd::End::GaveUp, 0,
                   std::string{options_.is_hidden ? "the holder may be an ancestor that /proc hides"
                                                  : "the holder is in another PID namespace"} +
                       " and has not ended for " + duration_words(waited()) + " (NS_WAIT)"};
  }

  [[nodiscard]] milliseconds next_deadline() const {
    milliseconds limit = notice_.until_next();
    const auto until = [&](std::chrono::nanoseconds moment) {
      limit = std::min(limit, std::max(0ms, std::chrono::ceil<milliseconds>(moment - waited())));
    };
    if (options_.limit) {
      until(*options_.limit);
    }
    if (options_.unprovable) {
      until(options_.namespace_wait);
    }
    if (cycle_checks_ == 1) {
      until(1s);
    }
    if (looked_at_ != 0 && looks_ < kLooks) {
      until(look_at_);
    }
    return limit;
  }

  std::optional<WaitEnd> sleep(Step step) {
    const auto fds = ticket_.wake_fds();
    pollfd polled[3] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}, {signals_.fd(), POLLIN, 0}};
    // There is no wake-up for a less busy machine.
    const bool asks = ticket_.is_deaf() && step != Step::GateHeld;
    for (bool sleeps = true; sleeps;) {
      const milliseconds due =
          objection_.empty() ? next_deadline() : std::min(next_deadline(), kAsk);
      const milliseconds limit = asks ? std::min(due, kAsk) : due;
      const int ready = ::poll(polled, 3, static_cast<int>(limit.count()));
      sleeps = ready == 0 && limit < due && !ticket_.has_missed();
    }
    ticket_.drain();
    return take_signals();
  }

  std::optional<WaitEnd> take_signals() {
    process::Signals::Arrived arrived;
    while (signals_.next_noticed(arrived)) {
      if (auto turn = handle(arrived.signal)) {
        return turn;
      }
    }
    return std::nullopt;
  }

  std::optional<WaitEnd> handle(int signal) {
    if (signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) {
      stop_signal_ = signal;
      return std::nullopt;
    }
    stop_signal_ = signal == SIGCONT ? 0 : stop_signal_;
    if (signal == SIGCHLD || signal == SIGCONT || signal == SIGWINCH || signal == SIGURG) {
      return std::nullopt;  // ignored by default
    }
    const lane::Leaving how = leaving_by(signal);
    ticket_.leave(how);
    notice_.clear();
    if (how == lane::Leaving::MayRejoin && options_.rejoin > 0ms && notice_.has_been_shown()) {
      say("left the queue; the same command gets its place back within " +
          duration_words(options_.rejoin));
    }
    return WaitEnd{WaitEnd::End::Signal, signal, {}};
  }

  lane::Ticket& ticket_;
  const process::Signals& signals_;
  const WaitOptions& options_;
  WaitNotice notice_;
  std::chrono::nanoseconds start_;
  std::string objection_;  ///< It is our turn, but the machine is too busy.
  bool has_told_place_ = false;
  int cycle_checks_ = 0;
  std::uint64_t looked_at_ = 0;  ///< Sequence of the holder whose pipeline was looked at last.
  int looks_ = 0;                ///< How many looks that holder has had.
  std::size_t beside_ = 0;       ///< How many runs were beside it at the last look.
  std::chrono::nanoseconds look_at_{};  ///< When the next look is due, as waited() counts.
  bool was_held_ = false;               ///< The lane was on hold at the last look.
  sys::ProcessId asked_about_;          ///< The last background holder asked about by is_nested.
  int stop_signal_ = 0;                 ///< Stops us once the ticket is parked; 0 for none.
  bool is_parked_ = false;              ///< We have continued, and the ticket is still parked.
  bool said_unprovable_ = false;
};

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

}  // namespace

lane::Leaving leaving_by(int signal) noexcept {
  return signal == SIGTERM || signal == SIGHUP ? lane::Leaving::MayRejoin : lane::Leaving::ForGood;
}

WaitEnd wait_turn(lane::Ticket& ticket, const process::Signals& signals,
                  const WaitOptions& options) {
  return Wait{ticket, signals, options}.run();
}

bool Admission::is_on() const noexcept {
  return settings_.min_free_memory_mb.value > 0 || settings_.max_load.value > 0 ||
         settings_.max_memory_pressure.value > 0;
}

std::optional<std::string> Admission::objection() const {
  const std::uint64_t free = sys::machine_memory().available >> 20U;
  if (free < settings_.min_free_memory_mb.value) {
    return "the machine has " + std::to_string(free) +
           " MB of memory free, MIN_FREE_MEMORY_MB is " +
           std::to_string(settings_.min_free_memory_mb.value);
  }
  const double load = sys::machine_load().average;
  if (settings_.max_load.value > 0 && load > settings_.max_load.value) {
    return "the machine has a load of " + decimal(load) + ", MAX_LOAD is " +
           decimal(settings_.max_load.value);
  }
  const auto pressure = sys::memory_pressure();
  if (settings_.max_memory_pressure.value > 0 &&
      pressure.value_or(0) > settings_.max_memory_pressure.value) {
    return "the machine has a memory pressure of " + decimal(*pressure) +
           " %, MAX_MEMORY_PRESSURE is " + decimal(settings_.max_memory_pressure.value);
  }
  return std::nullopt;
}

bool Admission::refuses() const noexcept {
  return settings_.admission.value == settings::Admission::Refuse;
}

}  // namespace onelane::multicall
