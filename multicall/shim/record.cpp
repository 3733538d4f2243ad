#include "multicall/shim/record.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/guard/cgroup.hpp"
#include "core/journal/journal.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/users.hpp"
#include "multicall/context/call.hpp"

namespace onelane::multicall {
namespace {

using std::chrono::milliseconds;

std::int64_t ms_of(std::chrono::nanoseconds span) {
  return std::chrono::duration_cast<milliseconds>(span).count();
}

std::string_view class_word(shims::Class cls) {
  return cls == shims::Class::Service ? "service" : cls == shims::Class::Editor ? "editor" : "lane";
}

/// Adds the kernel's totals over all members that were waited for: exact for processor time, and
/// the only figure for the largest process of a run that is too short to be measured.
void add_usage(journal::Record& record, const process::Usage& usage) {
  constexpr std::uint64_t kBlock = 512;
  record.cpu_ms = usage.cpu_ms;
  record.read_bytes = usage.blocks_in * kBlock;
  record.written_bytes = usage.blocks_out * kBlock;
  record.peak_process_kb = usage.largest_kb;
}

void add_watched(journal::Record& record, const Watch& watch) {
  if (watch.guard()) {
    const guard::Guard& guard = *watch.guard();
    // Preferred over the kernel's figure, which includes mapped files.
    record.peak_process_kb = guard.peak_process() >> 10U;
    record.peak_tree_kb = guard.peak_tree() >> 10U;
    record.peak_processes = guard.peak_count();
  }
  record.peak_tree_kb = std::max(record.peak_tree_kb, record.peak_process_kb);
  record.warnings = watch.warnings();
  record.orphans_ended = watch.orphans();
  if (watch.card()) {
    record.card = guard::json_of(*watch.card());
  }
}

/// Adds the queue run and label that a queue sets for its entries
/// (multicall/queue/child.hpp).
void add_queue_start(journal::Record& record) {
  const char* queue_start = std::getenv("ONELANE_QUEUE_START");
  if (queue_start == nullptr) {
    queue_start = std::getenv("ONELANE_BATCH");  // of a queue start by an older onelane
  }
  if (queue_start == nullptr || !journal::is_run_id(queue_start)) {
    return;
  }
  record.queue_start = queue_start;
  const char* label = std::getenv("ONELANE_LABEL");
  if (label != nullptr && record.label.empty()) {
    record.label = label;
  }
}

}  // namespace

Times Times::queued_now() noexcept {
  Times times;
  times.queued = sys::monotonic_time();
  times.queued_wall_ms = sys::wall_milliseconds();
  return times;
}

journal::Record record_of(const Plan& plan, const Turn& turn, const Times& times) {
  journal::Record record;
  if (const lane::Ticket* ticket = turn.ticket()) {
    record.id = lane::view(ticket->run_id());
    record.fence = ticket->sequence();
    record.pipeline_of = lane::view(ticket->pipeline_of());
    record.released_ms = plan.until.empty() ? 0 : ticket->released_after().count();
  }
  record.project = plan.project.root;
  record.lane = plan.lane_dir;
  record.tool = plan.call->name;
  record.argv.assign(plan.call->argv.begin(), plan.call->argv.end());
  record.cwd = turn.place().directory;
  record.branch = current_branch(plan.project.git_dir);
  record.cls = plan.limits_only ? "service" : class_word(plan.decision.cls);
  record.uid = ::getuid();
  record.user = sys::user_name(::getuid());
  record.tty = turn.place().terminal;
  record.agent = caller_agent();
  record.label = plan.label;
  add_queue_start(record);
  record.queued_wall_ms = times.queued_wall_ms;
  record.started_wall_ms = times.started_wall_ms;
  record.waited_ms = ms_of(times.started - times.queued);
  std::memcpy(record.context.data(), &turn.traits(), sizeof turn.traits());
  return record;
}

void add_end(journal::Record& record, const Times& times) {
  record.ended_wall_ms = sys::wall_milliseconds();
  record.duration_ms = ms_of(sys::monotonic_time() - times.started);
}

void add_kept(journal::Record& record, const std::vector<process::KeptProcess>& kept) {
  for (const process::KeptProcess& process : kept) {
    record.kept.push_back({process.id.pid, process.id.start, process.command});
  }
}

void append_record(const LanePlace& place, const journal::Record& record) noexcept {
  journal::Rotation rotation;
  rotation.mode = place.file_mode;
  (void)journal::append(place.state.get(), record, rotation);
}

void append_crash(const LanePlace& place, journal::Record record, const Times& times,
                  const std::vector<process::KeptProcess>& kept) {
  if (auto group = guard::Cgroup::find(record.id)) {
    (void)group->release();
  }
  add_end(record, times);
  add_kept(record, kept);
  record.reason = journal::Reason::Crashed;
  append_record(place, record);
}

void add_outcome(journal::Record& record, const process::Outcome& outcome, const Watch& watch,
                 const Times& times) {
  add_end(record, times);
  add_usage(record, outcome.usage);
  add_watched(record, watch);
  add_kept(record, outcome.kept);
  for (const sys::ProcessStat& survivor : outcome.survivors) {
    record.survivors.push_back({survivor.id.pid, survivor.id.start, survivor.name.data()});
  }
  record.ended_leftovers = outcome.ended_leftovers;
  record.empty = outcome.survivors.empty();
  if (outcome.launch_error != 0) {
    record.reason = journal::Reason::NotStarted;
    return;
  }
  if (WIFSIGNALED(outcome.wait_status)) {
    record.signal = WTERMSIG(outcome.wait_status);
    record.reason = journal::Reason::Signalled;
  }
  if (watch.exit_code()) {
    record.code = watch.exit_code();
    record.signal = 0;
    record.reason = watch.guard()->breach()->reason;
    return;
  }
  if (record.signal == 0) {
    record.code = WEXITSTATUS(outcome.wait_status);
  }
  if (watch.was_stopped()) {
    record.reason = journal::Reason::Stopped;
  }
}

}  // namespace onelane::multicall
