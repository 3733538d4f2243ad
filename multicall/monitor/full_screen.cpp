#include "multicall/monitor/full_screen.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <memory>

#include "core/process/signals.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "multicall/monitor/errand.hpp"
#include "multicall/monitor/screen.hpp"
#include "multicall/monitor/terminal.hpp"
#include "multicall/monitor/wakes.hpp"
#include "multicall/term/fence.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall::monitor {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// Changes within this time share one look.
constexpr milliseconds kBurst{50};
/// While nothing runs, only the machine's figures change.
constexpr int kIdleFactor = 3;
constexpr int kCostFactor = 200;

nanoseconds processor_time() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds{time.tv_sec} + nanoseconds{time.tv_nsec};
}

/// Blocks until we are in the foreground: a background job must neither draw nor set modes.
void wait_for_foreground() {
  for (pid_t front = ::tcgetpgrp(0); front > 0 && front != ::getpgrp(); front = ::tcgetpgrp(0)) {
    if (!process::stop_self(SIGTTOU)) {
      return;  // no shell could bring us back
    }
  }
}

/// The loop around one terminal.
class FullScreen {
 public:
  FullScreen(const LanesHere& lanes, const Options& options, const process::Signals& signals,
             std::unique_ptr<Terminal> terminal, bool unicode)
      : lanes_{lanes},
        options_{options},
        signals_{signals},
        terminal_{std::move(terminal)},
        unicode_{unicode},
        looker_{lanes},
        wakes_{lanes} {}

  /// The signal that ended us, 0 when the user quit.
  int run() {
    take_look();
    while (!is_over_) {
      draw();
      wait();
    }
    terminal_.reset();
    return signal_;
  }

 private:
  void take_look() {
    look_began_ = processor_time();
    look_ = looker_.take();
    rows_ = selectable(look_, state_);
    wakes_.watch_directories();  // not the owners: our own clock is quick enough
    last_ = sys::monotonic_time();
    next_ = nanoseconds::max();  // set after drawing, which costs time, too
  }

  void draw() {
    const Size size = terminal_->size();
    state_.page = std::max<std::size_t>(1, size.rows / 2);
    terminal_->draw(compose(look_, state_, size, unicode_));
    if (next_ == nanoseconds::max()) {
      const auto wanted = look_.has_holder() ? options_.interval : options_.interval * kIdleFactor;
      next_ = last_ + pause_after(processor_time() - look_began_, wanted);
    }
  }

  void wait() {
    std::vector<pollfd> polled{{0, POLLIN, 0}, {signals_.fd(), POLLIN, 0}};
    polled.push_back({errand_ ? errand_->fd() : -1, POLLIN, 0});
    polled.push_back({wakes_.fds().front(), POLLIN, 0});
    const auto left = std::max(nanoseconds{0}, next_ - sys::monotonic_time());
    (void)::poll(polled.data(), polled.size(),
                 static_cast<int>(std::chrono::ceil<milliseconds>(left).count()));
    take_signals();
    if (!is_over_ && (polled[0].revents & (POLLHUP | POLLERR)) != 0) {
      is_over_ = true;  // the terminal is gone
    }
    if (!is_over_ && (polled[0].revents & POLLIN) != 0) {
      take_keys();
    }
    if (errand_) {
      collect_errand();
    }
    if ((polled[3].revents & POLLIN) != 0) {
      wakes_.drain();
      next_ = std::min(next_, std::max(last_ + kBurst, sys::monotonic_time() + kBurst / 5));
    }
    if (!is_over_ && sys::monotonic_time() >= next_) {
      take_look();
    }
  }

  void take_signals() {
    process::Signals::Arrived arrived;
    while (!is_over_ && signals_.next_noticed(arrived)) {
      switch (arrived.signal) {
        case SIGWINCH:
          terminal_->fit();
          break;
        case SIGTSTP:
        case SIGTTIN:
        case SIGTTOU:
          suspend(arrived.signal);
          break;
        case SIGCONT:  // after a stop the shell has used the terminal
          terminal_->leave();
          wait_for_foreground();
          terminal_->fit();
          break;
        case SIGINT:  // Ctrl-C quits, as it does everywhere
          is_over_ = true;
          break;
        case SIGTERM:
        case SIGHUP:
        case SIGQUIT:
        case SIGPIPE:
        case SIGALRM:
        case SIGUSR1:
        case SIGUSR2:
          is_over_ = true;
          signal_ = arrived.signal;
          break;
        default:
          break;
      }
    }
  }

  void suspend(int signal) {
    terminal_->leave();
    (void)process::stop_self(signal);
    wait_for_foreground();
    terminal_->fit();
    next_ = sys::monotonic_time();
  }

  void take_keys() {
    int count = 0;
    while (const auto key = is_over_ ? std::nullopt : terminal_->next_key()) {
      obey(handle(state_, *key, look_, rows_, unicode_));
      rows_ = selectable(look_, state_);
      ++count;
    }
    if (count == 0) {
      ++empty_reads_;
      is_over_ = empty_reads_ > kMostEmptyReads;  // end of file, again and again
    } else {
      empty_reads_ = 0;
    }
  }

  void obey(const Order& order) {
    switch (order.kind) {
      case Order::Kind::None:
        return;
      case Order::Kind::Quit:
        is_over_ = true;
        return;
      case Order::Kind::Redraw:
        terminal_->fit();
        next_ = sys::monotonic_time();
        return;
      default:
        break;
    }
    if (errand_) {
      state_.message = "the last order is still being carried out";
      return;
    }
    try {
      errand_.emplace(order, lanes_, signals_);
      state_.message = order.kind == Order::Kind::EndRun ? "ending " + order.ticket : "";
    } catch (const sys::SystemError& error) {
      state_.message = clean_text(error.what(), unicode_);
    }
  }

  void collect_errand() {
    if (const auto said = errand_->collect()) {
      errand_.reset();
      state_.message = clean_text(*said, unicode_);
      next_ = sys::monotonic_time();
    }
  }

  static constexpr int kMostEmptyReads = 20;

  const LanesHere& lanes_;
  const Options& options_;
  const process::Signals& signals_;
  std::unique_ptr<Terminal> terminal_;
  const bool unicode_;
  Looker looker_;
  Wakes wakes_;
  Look look_;
  State state_;
  std::vector<std::string> rows_;
  std::optional<Errand> errand_;
  nanoseconds look_began_{};  ///< In processor time.
  nanoseconds last_{};
  nanoseconds next_{};
  int empty_reads_ = 0;
  int signal_ = 0;
  bool is_over_ = false;
};

}  // namespace

nanoseconds pause_after(nanoseconds cost, nanoseconds wanted) {
  return std::max(wanted, cost * kCostFactor);
}

int print_snapshot(const LanesHere& lanes, std::size_t columns) {
  const Paper paper{columns, use_unicode()};
  const Look look = Looker{lanes}.take();
  std::string text;
  for (const Line& line : plain_lines(look, paper)) {
    text += line.text();
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  print_fenced(text);
  return look.trouble.empty() ? 0 : 1;
}

int run_full_screen(const LanesHere& lanes, const Options& options) {
  const bool unicode = use_unicode();
  int signal = 0;
  {
    const process::Signals signals;
    wait_for_foreground();
    std::string why;
    auto terminal = Terminal::open(options.colours, why);
    if (!terminal) {
      say_always("monitor: " + why + ", so this is one look and no full screen");
      return print_snapshot(lanes, 80);
    }
    signal = FullScreen{lanes, options, signals, std::move(terminal), unicode}.run();
  }
  if (signal != 0) {
    process::die_of(signal);
  }
  return 0;
}

}  // namespace onelane::multicall::monitor
