#include "core/process/held_signals.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "core/sys/clock.hpp"
#include "core/sys/process.hpp"

namespace onelane::process {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// Time between two looks at the helpers.
constexpr milliseconds kStep{5};
constexpr milliseconds kEchoStep{50};

bool stops(int signal) noexcept {
  return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

bool has(std::uint64_t signals, int signal) noexcept {
  return (signals >> static_cast<unsigned>(signal - 1) & 1U) != 0;
}

}  // namespace

void HeldSignals::hold(int signal, nanoseconds now, std::uint64_t witnessed) {
  held_.push_back({signal, now + kLongest, witnessed, false});
}

void HeldSignals::expect_echo(int signal, nanoseconds now) {
  held_.push_back({signal, now + kEcho, 0, true});
}

void HeldSignals::outdate(int arrived) {
  std::erase_if(held_, [&](const Held& held) {
    return (stops(arrived) && held.signal == SIGCONT) || (arrived == SIGCONT && stops(held.signal));
  });
}

bool HeldSignals::drop_seen(const std::function<bool(int)>& canary, std::uint64_t witnessed) {
  bool canary_has = false;
  std::erase_if(held_, [&](Held& held) {
    if (canary(held.signal)) {
      canary_has = true;
      return true;
    }
    held.witnessed &= witnessed;
    if (!held.is_echo && has(witnessed & ~held.witnessed, held.signal)) {
      held.is_echo = true;
      held.due += kEcho;
    }
    return false;
  });
  return canary_has;
}

std::vector<int> HeldSignals::take_due(nanoseconds now) {
  std::vector<int> due;
  std::erase_if(held_, [&](Held& held) {
    if (held.due > now || held.is_echo) {
      return held.due <= now;
    }
    due.push_back(held.signal);
    held.is_echo = true;
    held.due = now + kEcho;
    return false;
  });
  return due;
}

milliseconds HeldSignals::until_look(nanoseconds now, milliseconds longest) const {
  for (const Held& held : held_) {
    const auto left = std::chrono::ceil<milliseconds>(held.due - now);
    longest =
        std::min(longest, std::clamp(left, milliseconds{0}, held.is_echo ? kEchoStep : kStep));
  }
  return longest;
}

std::vector<int> look_and_take_due(HeldSignals& held, Canary& canary) {
  if (held.is_empty()) {
    return {};
  }
  if (held.drop_seen([&](int signal) { return canary.has_seen(signal); })) {
    canary.renew();
    canary.drop_previous();
  }
  return held.take_due(sys::monotonic_time());
}

bool knows_no_tree(const Signals::Arrived& arrived, pid_t parent) noexcept {
  if (arrived.from_kernel || arrived.is_order) {
    return true;
  }
  if (arrived.sender == parent && ::getppid() != parent) {
    return true;
  }
  const auto sender = arrived.sender > 0 ? sys::read_stat(arrived.sender) : std::nullopt;
  if (!sender) {
    return false;
  }
  const auto above = sys::ancestry_of(arrived.sender).chain;
  return std::string_view{sender->name.data()} == "timeout" ||
         std::ranges::any_of(above, [](const auto& stat) { return stat.id.pid == ::getpid(); });
}

}  // namespace onelane::process
