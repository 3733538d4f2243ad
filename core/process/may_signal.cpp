#include "core/process/may_signal.hpp"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "core/sys/run_id.hpp"

namespace onelane::process {
namespace {

constexpr int kHighest = 64;

/// A run without the lane has no id; its only members are those that its supervisor has seen.
bool has_run(const Target& target) noexcept {
  return sys::is_run_id(target.run_id) ||
         (target.run_id.empty() && target.as != Target::As::Marked);
}

bool has_died(const Target& target, const SignalFacts& facts) noexcept {
  return !facts.now || facts.now->id != target.id || facts.now->has_ended();
}

Spared why_member_spared(const Target& target, const SignalFacts& facts) noexcept {
  if (target.uid && facts.uid != target.uid) {
    return Spared::OtherUser;
  }
  if (target.as == Target::As::Marked && !sys::names_run(facts.held, target.run_id)) {
    return Spared::Foreign;
  }
  if (facts.is_supervised) {
    return Spared::Supervised;
  }
  return facts.is_kept ? Spared::Kept : Spared::No;
}

Spared why_supervisor_spared(const SignalFacts& facts) noexcept {
  if (!facts.is_onelane) {
    return Spared::NoOnelane;
  }
  return facts.has_place ? Spared::No : Spared::NoPlace;
}

/// The run just before `run_id` in `held`, or the last one when `run_id` is empty.
std::string_view run_before(std::string_view held, std::string_view run_id) noexcept {
  std::string_view before;
  bool found = false;
  sys::for_each_run(held, [&](std::string_view id) {
    found = found || id == run_id;
    before = found ? before : id;
  });
  return before;
}

}  // namespace

Spared why_spared(const Target& target, const SignalFacts& facts) noexcept {
  if (target.boot != facts.boot) {
    return Spared::OtherBoot;
  }
  if (!has_run(target)) {
    return Spared::NoRun;
  }
  if (has_died(target, facts)) {
    return Spared::Gone;
  }
  if (facts.is_ours) {
    return Spared::Ours;
  }
  return target.as == Target::As::Supervisor ? why_supervisor_spared(facts)
                                             : why_member_spared(target, facts);
}

bool may_supervise(std::string_view own, std::string_view held, std::string_view run_id) noexcept {
  if (sys::names_run(own, run_id)) {
    return false;
  }
  return !sys::names_run(held, run_id) || run_before(own, {}) == run_before(held, run_id);
}

SignalJudge::SignalJudge(SignalRules rules)
    : rules_{std::move(rules)}, boot_{static_cast<std::uint32_t>(sys::boot_id())} {
  own_.insert(::getpid());
  for (const sys::ProcessStat& above : sys::ancestry_of(::getpid()).chain) {
    own_.insert(above.id.pid);
  }
}

Spared SignalJudge::judge(const Target& target) {
  return why_spared(target, facts_of(target));
}

SignalFacts SignalJudge::facts_of(const Target& target) {
  SignalFacts facts;
  facts.boot = boot_;
  facts.now = sys::read_stat(target.id.pid);
  facts.is_ours = own_.contains(target.id.pid);
  if (facts.is_ours || has_died(target, facts)) {
    return facts;
  }
  if (target.as == Target::As::Supervisor) {
    facts.is_onelane = rules_.is_onelane && rules_.is_onelane(target.id.pid);
    facts.has_place = facts.is_onelane && rules_.has_place && rules_.has_place(target.id.pid);
    return facts;
  }
  if (target.uid) {
    facts.uid = sys::real_user(target.id.pid);
  }
  const sys::ProcessId& member = target.as == Target::As::Below ? target.root : target.id;
  facts.held = sys::initial_environment(member.pid, "ONELANE_HELD").value_or("");
  facts.is_supervised = is_supervised(target, facts);
  facts.is_kept = rules_.is_kept && rules_.is_kept(target.id);
  return facts;
}

bool SignalJudge::is_supervised(const Target& target, const SignalFacts& facts) {
  if (!rules_.is_onelane) {
    return false;
  }
  const pid_t member = target.as == Target::As::Below ? target.root.pid : target.id.pid;
  // Another user's supervisor may hide its identity, but not that it is an ancestor.
  const bool is_innermost = run_before(facts.held, {}) == target.run_id;
  const auto executor =
      is_innermost ? sys::initial_environment(member, "SEQUENTIAL_EXECUTOR_PID") : std::nullopt;
  const pid_t supervisor =
      executor ? static_cast<pid_t>(std::strtol(executor->c_str(), nullptr, 10)) : 0;
  pid_t above = look_at(member).parent;
  for (int level = 0; level < kHighest && above > 0; ++level, above = look_at(above).parent) {
    if (!look_at(above).is_live) {
      continue;  // killed: it keeps its children a moment longer than its locks
    }
    if (above == supervisor) {
      return true;
    }
    const auto& own = held_of_onelane(above);
    if (own && may_supervise(*own, facts.held, target.run_id)) {
      return true;
    }
  }
  return false;
}

const SignalJudge::Above& SignalJudge::look_at(pid_t pid) {
  const auto [it, is_new] = seen_.try_emplace(pid);
  const auto stat = is_new ? sys::read_stat(pid) : std::nullopt;
  if (stat) {
    it->second = {stat->parent, !stat->has_ended() && !stat->is_exiting};
  }
  return it->second;
}

const std::optional<std::string>& SignalJudge::held_of_onelane(pid_t pid) {
  const auto [it, is_new] = onelanes_.try_emplace(pid);
  if (is_new && rules_.is_onelane(pid)) {
    it->second = sys::initial_environment(pid, "ONELANE_HELD").value_or("");
  }
  return it->second;
}

}  // namespace onelane::process
