#include "multicall/shim/notice.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "core/sys/clock.hpp"
#include "core/sys/file_descriptor.hpp"
#include "core/sys/process.hpp"
#include "core/sys/text.hpp"
#include "core/sys/users.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto kSilence = 400ms;
constexpr auto kPromptAfter = 10s;  ///< Most git hooks have ended by then.
constexpr auto kHintAfter = 5min;
constexpr std::array<std::chrono::minutes, 4> kReminders{1min, 5min, 15min, 30min};

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

/// `text` cut to `width` columns, since a wrapped line cannot be redrawn in place; a cut line ends
/// in "…". Never splits a multi-byte character.
std::string cut_line(std::string text, std::size_t width) {
  std::size_t columns = 0;
  std::size_t last = 0;  // where the last column begins
  for (std::size_t at = 0; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) {
      continue;
    }
    if (columns++ == width) {
      return text.substr(0, last) + "…";
    }
    last = at;
  }
  return text;
}

/// A dumb terminal would print the control sequences that redraw the line.
bool can_redraw() {
  const char* term = std::getenv("TERM");
  return ::isatty(2) == 1 && (term == nullptr || std::string_view{term} != "dumb");
}

/// Any user of the lane may have written the text.
template <std::size_t N>
std::string printable(const std::array<char, N>& field) {
  std::string out;
  sys::append_printable(out, field.data(), N);
  return out;
}

/// Why a holder may not be making progress, for people.
std::string activity(const lane::Detail& detail) {
  if (sys::is_stopped({detail.tool_pid, detail.tool_start})) {
    return ", stopped (Ctrl-Z)";
  }
  if (const std::string until = printable(detail.until); !until.empty()) {
    return ", until " + until;
  }
  const std::chrono::nanoseconds started{detail.started_boottime};
  if (detail.may_prompt == 0 || sys::boot_time() - started < kPromptAfter) {
    return "";
  }
  const std::string terminal = printable(detail.terminal);
  return terminal.starts_with("/dev/") ? ", in an editor or prompt on " + terminal.substr(5)
                                       : ", in an editor or prompt";
}

/// How long a run usually takes, and how much of that is left.
struct Run {
  std::optional<milliseconds> usual;
  std::optional<milliseconds> left;  ///< Negative for a run that takes longer.
};

Run run_in(const lane::Table& table, std::size_t slot, std::uint64_t sequence,
           journal::Usual& usual) {
  Run run;
  if (const auto detail = table.detail(slot, sequence)) {
    run.usual = usual.duration_of(detail->command.data());
    const std::chrono::nanoseconds started{detail->started_boottime};
    const auto gone = started.count() > 0 ? sys::boot_time() - started : started;
    if (run.usual) {
      run.left = *run.usual - std::chrono::ceil<milliseconds>(gone);
    }
  }
  return run;
}

}  // namespace

std::string holder_words(const lane::Place& place, const Forecast& forecast) {
  if (!place.holder) {
    return "the lane is about to be free";
  }
  const lane::Entry& holder = *place.holder;
  std::string text = place.holder_state == lane::State::Granted ? "next: " : "running: ";
  if (!place.background.empty()) {
    const lane::Kept& left = place.background.front();
    text = "in the background: " + printable(left.name) + " (pid " + std::to_string(left.pid) +
           "), left there by ";
  }
  text += place.holder_detail ? printable(place.holder_detail->command) : "a call";
  const bool here = holder.pid_namespace == sys::pid_namespace();
  text += here ? " (pid " + std::to_string(holder.pid) : std::string{" (in another container"};
  text += ", user " + sys::user_name(holder.uid);
  if (place.holder_detail && place.holder_detail->started_boottime > 0) {
    const std::chrono::nanoseconds started{place.holder_detail->started_boottime};
    text += ", " + duration_words(sys::boot_time() - started);
    if (forecast.usual) {
      text += (forecast.is_overdue ? ", longer than the usual " : " of usually ") +
              duration_words(*forecast.usual);
    }
    text += here ? activity(*place.holder_detail) : "";
  }
  return text + ")";
}

std::string gate_words(const lane::Ticket& ticket) {
  const auto& holder = ticket.gate_holder();
  return "the gate is held by " + (holder ? words_of(*holder) : std::string{"a process"});
}

WaitNotice::WaitNotice(std::string lane_name, std::string state_dir, bool is_quiet)
    : lane_name_{std::move(lane_name)},
      usual_{std::move(state_dir)},
      quiet_{is_quiet},
      terminal_{can_redraw()},
      since_{sys::boot_time()},
      next_{kSilence},
      remind_at_{kSilence} {}

std::chrono::nanoseconds WaitNotice::waited() const {
  return sys::boot_time() - since_;
}

milliseconds WaitNotice::until_next() const {
  const auto left = std::chrono::ceil<milliseconds>(next_ - waited());
  return std::clamp(left, milliseconds{0}, milliseconds{30min});
}

void WaitNotice::update(const lane::Ticket& ticket, const std::string& obstacle) {
  if (quiet_ || waited() < kSilence) {
    next_ = quiet_ ? 30min : next_;
    return;
  }
  const lane::Place place = ticket.place();
  if (!hinted_ && waited() >= kHintAfter && place.holder_detail) {
    hinted_ = true;
    clear();
    say("a command that is meant to run for long can run beside the lane: [tools." +
        printable(place.holder_detail->tool) +
        "] service = [\"…\"] in onelane.toml (see onelane-services(7))");
  }
  if (first_position_ == 0) {
    first_position_ = place.position;
  }
  if (terminal_) {
    draw(line(ticket, place, obstacle));
    next_ = waited() + 1s;
    return;
  }
  const bool is_due = waited() >= remind_at_;
  const bool is_held = place.header.held != 0;
  // A hand-over wakes only the first call; the others look at growing intervals.
  const bool has_moved =
      place.position != shown_position_ && (waited() >= next_ || place.position == 1);
  if (is_due || has_moved || is_held != shown_hold_ || obstacle.empty() == shown_obstacle_) {
    shown_position_ = place.position;
    shown_hold_ = is_held;
    shown_obstacle_ = !obstacle.empty();
    say(line(ticket, place, obstacle));
  }
  while (reminders_ < kReminders.size() && kReminders[reminders_] <= waited()) {
    ++reminders_;
  }
  if (is_due) {
    remind_at_ = reminders_ < kReminders.size() ? std::chrono::nanoseconds{kReminders[reminders_]}
                                                : waited() + 30min;
  }
  while (waited() >= next_) {
    next_ *= 2;
  }
  next_ = std::min(next_, remind_at_);
}

std::string WaitNotice::holder_line(const lane::Ticket& ticket, const lane::Place& place) {
  const Forecast forecast = forecast_of(ticket, usual_);
  // First, so that a narrow terminal does not cut it off. If overdue, holder_words() says so.
  const bool is_known = forecast.eta && !forecast.is_overdue && place.holder;
  return (is_known ? "~" + duration_words(*forecast.eta) + " to go · " : "") +
         holder_words(place, forecast);
}

std::string WaitNotice::line(const lane::Ticket& ticket, const lane::Place& place,
                             const std::string& obstacle) {
  std::string text = "waiting for lane '" + lane_name_ + "' · " + ordinal(place.position) + " of " +
                     std::to_string(std::max(place.waiting, place.position)) +
                     (ticket.has_rejoined() ? ", its place before" : "") + " · ";
  const bool is_held = place.header.held != 0;
  if (!is_held || !place.is_next) {
    text += obstacle.empty() ? holder_line(ticket, place) : obstacle;
    text += is_held ? " · " : "";
  }
  text += is_held ? hold_words(place.header, true) : "";
  return text + (terminal_ ? " · Ctrl-C leaves the queue" : " · queued, not hung");
}

void WaitNotice::draw(const std::string& text) {
  if (::tcgetpgrp(2) != ::getpgrp()) {
    return;  // another job has the terminal now
  }
  shown_ = "\r" + cut_line("onelane: " + text, terminal_width() - 1) + "\033[K";
  (void)sys::write_all(2, shown_);
}

void WaitNotice::clear() {
  if (!shown_.empty() && ::tcgetpgrp(2) == ::getpgrp()) {
    (void)sys::write_all(2, "\r\033[K");
  }
  shown_.clear();
}

std::string WaitNotice::finish() {
  const bool was_shown = has_been_shown();
  clear();
  return was_shown ? "started after " + duration_words(waited()) + " (" +
                         std::to_string(first_position_) + " ahead)"
                   : "";
}

Forecast forecast_of(const lane::Ticket& ticket, journal::Usual& usual) {
  const lane::Table& table = ticket.table();
  const lane::Header header = table.header();
  const auto entries = table.entries(header.high);
  Forecast forecast;
  std::optional<milliseconds> sum = milliseconds{0};
  const auto current = lane::current_slot(entries);
  if (current && *current != ticket.slot()) {
    const Run run = run_in(table, *current, entries[*current].sequence, usual);
    forecast.usual = run.usual;
    forecast.is_overdue = run.left && *run.left < milliseconds{0};
    sum = run.left ? std::optional{std::max(*run.left, milliseconds{0})} : std::nullopt;
  }
  for (const std::size_t slot : lane::waiting_order(entries)) {
    if (slot == ticket.slot() || !sum) {
      break;
    }
    // A dead one has just died: the call behind it clears it away.
    const auto other = run_in(table, slot, entries[slot].sequence, usual).usual;
    sum = other ? std::optional{*sum + *other} : std::nullopt;
  }
  forecast.eta = header.held != 0 ? std::nullopt : sum;
  return forecast;
}

}  // namespace onelane::multicall
