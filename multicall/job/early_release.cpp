#include "multicall/job/early_release.hpp"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "core/sys/listeners.hpp"
#include "core/sys/text.hpp"
#include "multicall/shim/attempt.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kOftenFor{10};
constexpr milliseconds kOften{100};
constexpr milliseconds kSeldom{500};
constexpr milliseconds kLookWithin{1'000};  ///< A member may have moved to another namespace.
constexpr unsigned kLooksAtOthers = 3;

/// The pause before the next peek: `most`, or less if `pause` already asks for that.
milliseconds at_most(milliseconds pause, milliseconds most) {
  return pause.count() == 0 ? most : std::min(pause, most);
}

constexpr std::size_t kLongestShownText = 28;  ///< What fits into a ticket (lane::Detail).

bool names(const settings::ReadyRule& rule, const Call& call) {
  if (rule.tool != call.name) {
    return false;
  }
  if (rule.argument.empty()) {
    return true;
  }
  const auto known_by = shims::subjects_of(call.name, call.args);
  return std::ranges::find(known_by, rule.argument) != known_by.end() ||
         (!call.args.empty() && call.args.front() == rule.argument);
}

}  // namespace

bool EarlyRelease::awaits() const {
  return wiring_.ready && !is_over_ && ticket_ != nullptr && !plan_.is_service();
}

bool EarlyRelease::peek() noexcept try {
  if (!awaits() || wiring_.ready->port == 0) {
    return awaits() && has_seen_line_;  // the lane could not be given back
  }
  const auto found = listeners();
  if (!found) {
    return true;  // the process we read a namespace through has ended
  }
  return !found->empty() && (*found != others_ || unsure_ > 0);
} catch (const std::exception&) {
  return false;
}

void EarlyRelease::look(const process::Scene& scene, Watch& watch,
                        process::Judgement& judgement) noexcept try {
  note_line();
  if (!awaits()) {
    return;
  }
  const bool goes_on = judgement.order == process::Order::GoOn && !watch.was_stopped() &&
                       (!scene.tool_has_ended || plan_.waits_for_all());
  const bool has_port = wiring_.ready->port != 0;
  if (goes_on && (has_port ? listens(scene) : has_seen_line_)) {
    is_over_ = ticket_->become_service();
    if (is_over_) {
      watch.note_ready();
      watch.say_line(command_line(*plan_.call, 60) + ": ready (" + words_of(*wiring_.ready) +
                     "); gives the lane back and goes on as a service");
      return;
    }
  }
  if (!others_.empty() && unsure_ == 0 && !std::exchange(has_said_others_, true)) {
    watch.say_line(command_line(*plan_.call, 60) + ": port " + std::to_string(wiring_.ready->port) +
                   " is open, but by no process of this run that onelane can see; the lane is "
                   "kept");
  }
  if (has_port || has_seen_line_) {
    const bool is_young = scene.running < kOftenFor;
    judgement.peek = at_most(judgement.peek, is_young ? kOften : kSeldom);
    judgement.next = is_young ? std::min(judgement.next, kLookWithin) : judgement.next;
  }
} catch (const std::exception&) {
  // The next look tries again.
}

std::optional<std::vector<std::uint64_t>> EarlyRelease::listeners() const {
  std::vector<std::uint64_t> all;
  for (const auto& [network, pid] : namespaces_) {
    const auto found = sys::listeners_on(pid, wiring_.ready->port);
    if (!found) {
      return std::nullopt;
    }
    all.insert(all.end(), found->begin(), found->end());
  }
  std::ranges::sort(all);
  return all;
}

bool EarlyRelease::listens(const process::Scene& scene) {
  namespaces_.clear();
  // This process outlives the members, and most of them share its namespace.
  namespaces_.emplace(sys::network_namespace(::getpid()), ::getpid());
  for (const sys::ProcessStat& member : scene.members) {
    if (const auto network = sys::network_namespace(member.id.pid); network != 0) {
      namespaces_.emplace(network, member.id.pid);
    }
  }
  const auto found = listeners();
  if (!found || found->empty()) {
    return false;
  }
  const auto has_one = [&](const sys::ProcessStat& member) {
    return sys::has_socket(member.id.pid, *found);
  };
  if (std::ranges::any_of(scene.members, has_one)) {
    return true;
  }
  if (*found != others_) {
    others_ = *found;
    unsure_ = kLooksAtOthers;
  } else if (unsure_ > 0) {
    --unsure_;
  }
  return false;
}

// Always read, even if the result is not used: else it would wake the supervisor again and again.
void EarlyRelease::note_line() noexcept {
  std::uint64_t count = 0;
  const bool is_told = wiring_.ready_fd >= 0 && ::read(wiring_.ready_fd, &count, sizeof count) > 0;
  has_seen_line_ = has_seen_line_ || is_told;
}

std::optional<settings::Ready> ready_rule_for(const Call& call,
                                              const settings::Settings& settings) {
  for (const std::string& item : settings.release_on_ready.value) {
    auto rule = settings::parse_ready_rule(item);
    if (rule && names(*rule, call)) {
      return std::move(rule->ready);
    }
  }
  return std::nullopt;
}

std::string words_of(const settings::Ready& ready) {
  return ready.port != 0 ? "port " + std::to_string(ready.port) + " listens"
                         : "a line has \"" + sys::printable(ready.text, kLongestShownText) + "\"";
}

}  // namespace onelane::multicall
