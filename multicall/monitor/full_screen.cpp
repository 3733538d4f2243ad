#include "multicall/monitor/full_screen.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <memory>

#include "core/process/signals.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "multicall/monitor/head.hpp"
#include "multicall/monitor/keys.hpp"
#include "multicall/monitor/look.hpp"
#include "multicall/monitor/terminal.hpp"
#include "multicall/term/github_log.hpp"
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
      state_.message = "the last command is still being carried out";
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

using Kind = Section::Kind;

/// How many rows each list gets out of `room` lines, after the titles; 0 leaves a list out.
std::vector<std::size_t> shares_of(const std::vector<Section>& sections, std::size_t room) {
  std::vector<std::size_t> shares(sections.size(), 0);
  const auto give = [&](std::size_t i, std::size_t most) {
    const std::size_t title = shares[i] == 0 ? 1 : 0;
    const std::size_t wanted = std::min(most, sections[i].rows.size() - shares[i]);
    if (wanted > 0 && room > title) {
      const std::size_t rows = std::min(wanted, room - title);
      shares[i] += rows;
      room -= rows + title;
    }
  };
  const auto give_all = [&](Kind kind, std::size_t most) {
    for (std::size_t i = 0; i < sections.size(); ++i) {
      if (sections[i].kind == kind) {
        give(i, most);
      }
    }
  };
  // First a few lines for each, the more urgent first; then the rest in the same order.
  const std::size_t few = std::max<std::size_t>(2, room / 6);
  give_all(Kind::Processes, few);
  give_all(Kind::Queue, few);
  if (room >= 6) {
    give_all(Kind::Services, 2);
    give_all(Kind::Recent, 3);
    give_all(Kind::Kept, 2);
  }
  for (const Kind kind :
       {Kind::Beside, Kind::Processes, Kind::Queue, Kind::Services, Kind::Kept, Kind::Recent}) {
    give_all(kind, room);
  }
  return shares;
}

/// The first row to show so that the selected one is visible.
std::size_t offset_of(const Section& section, std::size_t count) {
  const auto at =
      std::ranges::find_if(section.rows, [](const Row& r) { return r.line.is_selected; });
  if (at == section.rows.end() || section.rows.size() <= count) {
    return 0;
  }
  const auto index = static_cast<std::size_t>(at - section.rows.begin());
  const std::size_t before = count / 2;
  return std::min(index - std::min(index, before), section.rows.size() - count);
}

void add_section(std::vector<Line>& out, const Section& section, std::size_t count) {
  const std::size_t offset = offset_of(section, count);
  Line title = section.title;
  if (count < section.rows.size()) {
    title.add(fmt::format("  {}-{} of {}", offset + 1, offset + count, section.rows.size()),
              Style::Dim);
  }
  out.push_back(std::move(title));
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(section.rows[offset + i].line);
  }
}

std::vector<Line> help_lines() {
  std::vector<Line> out;
  for (const char* text :
       {"arrows, PgUp, PgDn, Home, End   select a row; Esc selects none",
        "s   sort processes: start, memory, cpu, age", "t   tree or one list",
        "/   filter by a part of the command (Enter keeps it, Esc drops it)",
        "k   end the run, or the selected service (asks)", "c   cancel the selected ticket (asks)",
        "b   move the selected ticket to the front", "h   hold the lane, or release it (asks)",
        "Ctrl-L  redraw        Ctrl-Z  suspend", "q   quit", "", "press any key to go back"}) {
    out.emplace_back();
    out.back().add(text);
  }
  return out;
}

Line foot_of(const State& state, bool unicode) {
  Line line;
  if (state.mode == Mode::Ask) {
    line.add(state.question + " [y/n]", Style::Warn);
  } else if (state.mode == Mode::Filter) {
    line.add("filter: " + clean_text(state.choice.filter, unicode) + "_", Style::Bold);
  } else if (!state.message.empty()) {
    line.add(state.message, Style::Bold);
  } else {
    line.add("? help  q quit  s sort  t tree  / filter  k end  c cancel  b bump  h hold",
             Style::Dim);
    if (!state.choice.filter.empty()) {
      line.spans.insert(line.spans.begin(),
                        {"[" + clean_text(state.choice.filter, unicode) + "]  ", Style::Warn});
    }
  }
  return line;
}

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
      say_always("monitor: " + why + ", so this is a snapshot and not a full screen");
      return print_snapshot(lanes, 80);
    }
    signal = FullScreen{lanes, options, signals, std::move(terminal), unicode}.run();
  }
  if (signal != 0) {
    process::die_of(signal);
  }
  return 0;
}

Screen compose(const Look& look, const State& state, const Size& size, bool unicode) {
  const Paper paper{size.columns, unicode};
  std::vector<Line> lines = head_lines(look, paper, size.rows);
  const std::size_t body = size.rows - std::min(size.rows, lines.size() + 1);
  if (state.mode == Mode::Help) {
    std::ranges::move(help_lines(), std::back_inserter(lines));
  } else {
    const auto sections = sections_of(look, state.choice, paper);
    const auto shares = shares_of(sections, body);
    for (std::size_t i = 0; i < sections.size(); ++i) {
      if (shares[i] > 0) {
        add_section(lines, sections[i], shares[i]);
      }
    }
  }
  const std::size_t above_foot = size.rows - std::min<std::size_t>(size.rows, 1);
  lines.resize(above_foot);
  if (size.rows > 0) {
    lines.push_back(foot_of(state, unicode));
  }
  Screen screen;
  for (const Line& line : lines) {
    screen.lines.push_back(clip(line, size.columns, unicode));
  }
  return screen;
}

std::vector<Line> plain_lines(const Look& look, const Paper& paper) {
  std::vector<Line> out = head_lines(look, paper, ~std::size_t{0});
  for (const Section& section : sections_of(look, {}, paper)) {
    out.emplace_back();
    add_section(out, section, section.rows.size());
  }
  return out;
}

std::vector<std::string> selectable(const Look& look, const State& state) {
  std::vector<std::string> keys;
  for (const Section& section : sections_of(look, state.choice, {})) {
    for (const Row& row : section.rows) {
      if (!row.key.empty()) {
        keys.push_back(row.key);
      }
    }
  }
  return keys;
}

}  // namespace onelane::multicall::monitor
