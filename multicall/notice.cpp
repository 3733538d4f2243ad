#include "multicall/notice.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/sys/clock.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/say.hpp"

namespace onelane::multicall {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto kSilence = 400ms;
constexpr auto kPromptAfter = 10s;  ///< No hook worth waiting for is still on the way by then.
constexpr auto kHintAfter = 5min;
constexpr std::array<std::chrono::minutes, 4> kReminders{1min, 5min, 15min, 30min};

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

/// What a person would want to know about a holder that does not get on.
std::string activity(const lane::Detail& detail) {
  const auto stat = sys::read_stat(detail.tool_pid);
  const bool same = stat && stat->id.start == detail.tool_start;
  if (same && (stat->state == 'T' || stat->state == 't')) {
    return ", stopped (Ctrl-Z)";
  }
  const std::chrono::nanoseconds started{detail.started_boottime};
  if (detail.may_prompt == 0 || sys::boot_time() - started < kPromptAfter) {
    return "";
  }
  const std::string_view terminal{detail.terminal.data()};
  return terminal.starts_with("/dev/")
             ? ", in an editor or prompt on " + std::string{terminal.substr(5)}
             : ", in an editor or prompt";
}

}  // namespace

std::string holder_words(const lane::Place& place) {
  if (!place.holder) {
    return "the lane is about to be free";
  }
  const lane::Entry& holder = *place.holder;
  std::string text = place.holder_state == lane::State::Granted ? "next: " : "running: ";
  text += place.holder_detail ? place.holder_detail->command.data() : "a call";
  const bool here = holder.pid_namespace == sys::pid_namespace();
  text += here ? " (pid " + std::to_string(holder.pid) : std::string{" (in another container"};
  text += ", user " + user_name(holder.uid);
  if (place.holder_detail && place.holder_detail->started_boottime > 0) {
    const std::chrono::nanoseconds started{place.holder_detail->started_boottime};
    text += ", " + duration_words(sys::boot_time() - started);
    text += here ? activity(*place.holder_detail) : "";
  }
  return text + ")";
}

WaitNotice::WaitNotice(std::string lane_name, bool is_quiet)
    : lane_name_{std::move(lane_name)},
      quiet_{is_quiet},
      terminal_{::isatty(2) == 1},
      since_{sys::boot_time()},
      next_{kSilence} {}

std::chrono::nanoseconds WaitNotice::waited() const {
  return sys::boot_time() - since_;
}

milliseconds WaitNotice::until_next() const {
  const auto left = std::chrono::ceil<milliseconds>(next_ - waited());
  return std::clamp(left, milliseconds{0}, milliseconds{30min});
}

void WaitNotice::update(const lane::Ticket& ticket, bool on_hold) {
  if (quiet_ || waited() < kSilence) {
    next_ = quiet_ ? 30min : next_;
    return;
  }
  const lane::Place place = ticket.place();
  if (!hinted_ && waited() >= kHintAfter && place.holder_detail) {
    hinted_ = true;
    clear();
    say("a call that runs for long on purpose can run beside the lane: [tools." +
        std::string{place.holder_detail->tool.data()} +
        "] service = [\"…\"] in onelane.toml (see the README)");
  }
  if (first_position_ == 0) {
    first_position_ = place.position;
  }
  if (terminal_) {
    draw(line(place, on_hold));
    next_ = waited() + 1s;
    return;
  }
  const bool due = waited() >= next_;
  if (place.position != shown_position_ || due) {
    shown_position_ = place.position;
    say(line(place, on_hold));
    while (reminders_ < kReminders.size() && kReminders[reminders_] <= waited()) {
      ++reminders_;
    }
    next_ = reminders_ < kReminders.size() ? std::chrono::nanoseconds{kReminders[reminders_]}
                                           : waited() + 30min;
  }
}

std::string WaitNotice::line(const lane::Place& place, bool on_hold) const {
  std::string text = "waiting for lane '" + lane_name_ + "' · " + ordinal(place.position) + " of " +
                     std::to_string(std::max(place.waiting, place.position)) + " · ";
  text += on_hold ? "the lane is on hold" : holder_words(place);
  return text + " · Ctrl-C leaves the queue";
}

void WaitNotice::draw(const std::string& text) {
  if (::tcgetpgrp(2) != ::getpgrp()) {
    return;  // somebody else's screen now
  }
  // Cut to the width: a wrapped line could not be redrawn in place. Bytes of a multi-byte
  // character are not split.
  std::string shown = "onelane: " + text;
  std::size_t columns = 0;
  std::size_t at = 0;
  const std::size_t width = terminal_width() - 1;
  for (; at < shown.size(); ++at) {
    const bool starts = (static_cast<unsigned char>(shown[at]) & 0xC0U) != 0x80U;
    if (starts && columns++ == width) {
      break;
    }
  }
  shown.resize(at);
  shown_ = "\r" + shown + "\033[K";
  (void)sys::write_all(2, shown_);
}

void WaitNotice::clear() {
  if (!shown_.empty() && ::tcgetpgrp(2) == ::getpgrp()) {
    (void)sys::write_all(2, "\r\033[K");
  }
  shown_.clear();
}

void WaitNotice::started() {
  const bool was_shown = !shown_.empty() || shown_position_ != 0;
  clear();
  if (was_shown) {
    say("started after " + duration_words(waited()) + " (" + std::to_string(first_position_) +
        " ahead)");
  }
}

}  // namespace onelane::multicall
