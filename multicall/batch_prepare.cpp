#include "multicall/batch_prepare.hpp"

#include <algorithm>

#include "multicall/batch_record.hpp"
#include "multicall/queue_view.hpp"
#include "multicall/record.hpp"
#include "multicall/say.hpp"

namespace onelane::multicall {
namespace {

using batch::Entry;
using batch::Queue;
using batch::State;

/// A start was killed: its batch has a record all the same.
void record_crashed(const LanesHere& lanes, const Queue& before) {
  journal::Record record = batch_record(lanes, before.starter->batch);
  if (!journal::is_run_id(record.id)) {
    return;
  }
  record.started_wall_ms = before.starter->since_wall_ms;
  record.ended_wall_ms = wall_milliseconds();
  record.reason = journal::Reason::Crashed;
  for (const RunView& job : jobs_of(lanes, record.id)) {
    record.jobs.push_back(job.record.id);
  }
  append_batch(lanes, record);
}

}  // namespace

std::optional<int> prepare_batch(const LanesHere& lanes, batch::Store& store,
                                 const BatchOptions& options) {
  Queue before;
  Queue after;
  store.change([&](Queue& queue) {
    before = queue;
    batch::forget_starter(queue, wall_milliseconds());
    for (Entry& entry : queue.entries) {
      if (entry.state == State::Interrupted && options.again) {
        entry.state = State::Queued;
        entry.code.reset();
        entry.run.clear();
      }
    }
    const bool may_start =
        batch::count(queue, State::Interrupted) == 0 && batch::count(queue, State::Queued) > 0;
    if (may_start) {
      std::erase_if(queue.entries, [](const Entry& entry) { return !batch::is_unfinished(entry); });
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
  if (batch::count(after, State::Queued) == 0 && !options.until_closed) {
    say_always("the queue is empty: nothing was run");
    return 0;
  }
  return std::nullopt;
}

}  // namespace onelane::multicall
