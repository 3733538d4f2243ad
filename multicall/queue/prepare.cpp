#include "multicall/queue/prepare.hpp"

#include <algorithm>

#include "core/sys/clock.hpp"
#include "multicall/queue/queue_view.hpp"
#include "multicall/queue/record.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall {
namespace {

using queue::Entry;
using queue::Queue;
using queue::State;

/// Writes the record of a batch whose start was killed.
void record_crashed(const LanesHere& lanes, const Queue& before) {
  journal::Record record = batch_record(lanes, before.starter->batch);
  if (!journal::is_run_id(record.id)) {
    return;
  }
  record.started_wall_ms = before.starter->since_wall_ms;
  record.ended_wall_ms = sys::wall_milliseconds();
  record.reason = journal::Reason::Crashed;
  for (const RunView& job : jobs_of(lanes, record.id)) {
    record.jobs.push_back(job.record.id);
  }
  append_batch(lanes, record);
}

}  // namespace

std::optional<int> prepare_batch(const LanesHere& lanes, queue::Store& store,
                                 const BatchOptions& options) {
  Queue before;
  Queue after;
  store.change([&](Queue& queue) {
    before = queue;
    queue::forget_starter(queue, sys::wall_milliseconds());
    for (Entry& entry : queue.entries) {
      if (entry.state == State::Interrupted && options.again) {
        entry.state = State::Queued;
        entry.code.reset();
        entry.run.clear();
      }
    }
    const bool may_start =
        queue::count(queue, State::Interrupted) == 0 && queue::count(queue, State::Queued) > 0;
    if (may_start) {
      std::erase_if(queue.entries, [](const Entry& entry) { return !queue::is_unfinished(entry); });
    }
    after = queue;
  });
  if (before.starter) {
    record_crashed(lanes, before);
  }
  const auto cut = std::ranges::find(after.entries, State::Interrupted, &Entry::state);
  if (cut != after.entries.end()) {
    const std::string id = std::to_string(cut->id);
    say_always(name_of(*cut) +
               " was interrupted, nothing is run: `onelane queue start --again` runs it again, "
               "`onelane queue remove " +
               id + "` forgets it");
    return 1;
  }
  if (queue::count(after, State::Queued) == 0 && !options.until_closed) {
    say_always("the queue is empty: nothing was run");
    return 0;
  }
  return std::nullopt;
}

}  // namespace onelane::multicall
