#include "multicall/queue/record.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/journal/journal.hpp"
#include "core/project/state.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/text.hpp"
#include "core/sys/users.hpp"
#include "multicall/context/call.hpp"
#include "multicall/term/words.hpp"
#include "multicall/view/overview.hpp"

namespace onelane::multicall {
namespace {

/// How many of the newest records may include those of an entry that has just ended.
constexpr std::size_t kNewest = 64;

/// Calls `take` for each record of `queue start` among the `most` newest records, newest first.
template <class Take>
void each_job(const LanesHere& lanes, const std::string& queue_start, std::size_t most,
              const Take& take) {
  const std::string wanted = '"' + queue_start + '"';
  std::size_t seen = 0;
  journal::for_each(lanes.project.state_dir, journal::Order::NewestFirst,
                    [&](std::string_view line) {
                      if (line.find(wanted) != std::string_view::npos) {
                        auto record = journal::parse(line);
                        if (record && record->queue_start == queue_start) {
                          take(std::move(*record));
                        }
                      }
                      return ++seen < most;
                    });
}

std::string terminal_name() {
  char name[64];
  if (::ttyname_r(2, name, sizeof name) != 0) {
    return {};
  }
  const std::string path = name;
  return path.starts_with("/dev/") ? path.substr(5) : path;
}

}  // namespace

journal::Record queue_start_record(const LanesHere& lanes, const std::string& id) {
  journal::Record record;
  record.id = id;
  record.project = lanes.project.root;
  record.lane = lanes.project.state_dir;
  record.tool = "queue";
  record.argv = {"onelane", "queue", "start"};
  record.cls = journal::kQueueStartClass;
  record.branch = current_branch(lanes.project.git_dir);
  record.uid = ::getuid();
  record.user = sys::user_name(::getuid());
  record.tty = terminal_name();
  record.agent = caller_agent();
  record.started_wall_ms = sys::wall_milliseconds();
  return record;
}

void append_queue_start(const LanesHere& lanes, const journal::Record& record) {
  const sys::FileDescriptor state = project::open_state(lanes.project);
  journal::Rotation rotation;
  rotation.mode = project::file_mode(state.get());
  (void)journal::append(state.get(), record, rotation);
}

std::vector<std::string> new_jobs_of(const LanesHere& lanes, const std::string& queue_start,
                                     const std::vector<std::string>& known) {
  std::vector<std::string> out;
  each_job(lanes, queue_start, kNewest, [&](const journal::Record& record) {
    const auto is_in = [&](const auto& list) {
      return std::ranges::find(list, record.id) != list.end();
    };
    if (!is_in(known) && !is_in(out)) {
      out.push_back(record.id);
    }
  });
  std::ranges::reverse(out);
  return out;
}

std::vector<RunView> jobs_of(const LanesHere& lanes, const std::string& queue_start) {
  std::vector<RunView> out;
  each_job(lanes, queue_start, std::string::npos,
           [&](journal::Record record) { out.push_back(view_of(std::move(record))); });
  std::ranges::reverse(out);
  return out;
}

using std::chrono::milliseconds;

std::string starter_words(const queue::Starter& starter) {
  return sys::printable(starter.user, 100) + " (pid " + std::to_string(starter.pid) + ", for " +
         span_words(sys::wall_milliseconds() - starter.since_wall_ms) + ")";
}

std::string forecast_words(journal::Usual& usual, const std::string& command,
                           const std::vector<std::string>& later) {
  const auto own = usual.duration_of(command);
  if (!own) {
    return {};
  }
  std::optional<milliseconds> all = own;
  for (const std::string& other : later) {
    const auto more = usual.duration_of(other);
    all = all && more ? std::optional{*all + *more} : std::nullopt;
  }
  return " (usually " + duration_words(*own) +
         (all && !later.empty() ? "; about " + duration_words(*all) + " to go" : "") + ")";
}

std::string queue_start_end_words(const QueueStartEnd& end) {
  std::string text = "queue: " + std::to_string(end.passed) + " passed";
  if (end.failed > 0) {
    text += ", " + std::to_string(end.failed) + " failed";
  }
  if (end.left > 0) {
    text += ", " + std::to_string(end.left) + " not started";
  }
  return text + (end.begun > 0 ? " (queue start " + end.id + ")" : "");
}

}  // namespace onelane::multicall
