#include "multicall/job/coalesce/coalesce.hpp"

#include <unistd.h>

#include <exception>
#include <memory>
#include <utility>

#include "core/lane/live.hpp"
#include "core/sys/clock.hpp"
#include "core/tool/find.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/context/real_tool.hpp"
#include "multicall/job/coalesce/call_key.hpp"
#include "multicall/job/coalesce/tree_state.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall::coalesce {
namespace {

std::string real_git() {
  static char name[] = "git";
  static char* argv[] = {name};
  Call call;
  call.name = name;
  call.argv = argv;
  const tool::Found found = find_real_tool(call);
  return found.outcome == tool::Outcome::Found ? found.path : std::string{};
}

Found look(const Plan& plan, const Turn& turn, const Times& times) {
  Found found;
  const lane::Ticket& ticket = *turn.ticket();
  // Taken before the table is read: calls that are in it then were queued earlier.
  found.boot_ns = static_cast<std::uint64_t>(sys::boot_time().count());
  const bool is_waited_for = lane::waits_with_key(ticket.table(), ::getuid(), plan.call_key);
  auto result =
      newest_result(plan.project.state_dir, plan.call_key, ticket.queued(), times.queued_wall_ms);
  if (result && result->id != lane::view(ticket.ran_before())) {
    result.reset();  // another run since then may have changed files that git ignores
  }
  if (!is_waited_for && !result) {
    return found;
  }
  const std::string git = real_git();
  if (git.empty()) {
    return found;
  }
  const TreeState state = tree_state_of(plan.project.root, git, turn.signals());
  found.signal = state.signal;
  if (state.digits.empty() || state.signal != 0) {
    return found;
  }
  const std::string same = digits_of(plan.call_key) + "." + state.digits;
  if (result && result->same == same) {
    found.taken = open_result(std::move(*result), log_directory(plan.project, plan.settings));
  }
  if (!found.taken && is_waited_for) {
    found.same = same;
  }
  return found;
}

}  // namespace

Found look_around(const Plan& plan, const Turn& turn, const Times& times) noexcept {
  if (plan.call_key == 0 || turn.ticket() == nullptr) {
    return {};
  }
  try {
    return look(plan, turn, times);
  } catch (const std::exception&) {
    return {};
  }
}

void take_result(const Plan& plan, Turn& turn, journal::Record record,
                 const Taken& taken) noexcept {
  const auto waited = sys::boot_time() - turn.ticket()->queued();
  record.waited_ms = std::chrono::duration_cast<std::chrono::milliseconds>(waited).count();
  turn.free_unused();
  record.started_wall_ms = record.ended_wall_ms = sys::wall_milliseconds();
  record.reason = taken.record.reason;
  record.code = taken.record.code;
  record.signal = taken.record.signal;
  record.joined = taken.record.id;
  record.empty = true;
  append_record(turn.place(), record);
  if (!plan.settings.quiet.value) {
    say(command_line(*plan.call, 60) + ": took the result of run " + taken.record.id +
        ": the same call on the same files, started after this one was queued");
  }
  replay(taken, turn.signals());
}

std::unique_ptr<KeptRun> KeptRun::begin(const Plan& plan, const Turn& turn,
                                        const Found& found) noexcept {
  if (found.same.empty()) {
    return nullptr;
  }
  try {
    Shelf shelf;
    shelf.log_directory = log_directory(plan.project, plan.settings);
    shelf.run_id = turn.run_id();
    shelf.retention.age = std::chrono::days{plan.settings.log_keep_days.value};
    shelf.retention.bytes = plan.settings.log_max_mb.value << 20U;
    return std::make_unique<KeptRun>(shelf, turn.signals(), found);
  } catch (const std::exception&) {
    return nullptr;
  }
}

void KeptRun::finish(journal::Record& record, const process::Outcome& outcome) {
  if (keeper_.finish() && may_be_taken(record, outcome.ending_signal)) {
    record.same = same_;
    record.same_boot_ns = boot_ns_;
  }
}

}  // namespace onelane::multicall::coalesce
