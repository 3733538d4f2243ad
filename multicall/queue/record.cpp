#include "multicall/queue/record.hpp"

#include <fcntl.h>
#include <sys/stat.h>
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

/// Calls `take` for each record of `queue_start` among the `most` newest records, newest first.
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

JobFinder::JobFinder(const LanesHere& lanes, std::string queue_start)
    : lanes_{lanes}, queue_start_{std::move(queue_start)} {
  (void)added();
}

/// The lines that the journal has grown by; nothing if it is another file now.
std::string JobFinder::added() {
  const std::string path = lanes_.project.state_dir + "/" + journal::kJournalName;
  struct stat known {};
  struct stat now {};
  const bool is_there = ::stat(path.c_str(), &now) == 0 && S_ISREG(now.st_mode);
  const bool is_same = is_there && file_.is_open() && ::fstat(file_.get(), &known) == 0 &&
                       known.st_ino == now.st_ino && known.st_dev == now.st_dev;
  if (!is_same) {
    file_ = sys::try_open_file(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    end_ = file_.is_open() && ::fstat(file_.get(), &known) == 0 ? known.st_size : 0;
    return {};
  }
  std::string text(static_cast<std::size_t>(std::max(off_t{0}, known.st_size - end_)), '\0');
  const ssize_t got = ::pread(file_.get(), text.data(), text.size(), end_);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  text.resize(text.rfind('\n') + 1);  // none: 0
  end_ += static_cast<off_t>(text.size());
  return text;
}

void JobFinder::add(const journal::Record& record, std::vector<std::string>& out) const {
  const auto has_it = [&](const std::vector<std::string>& list) {
    return std::ranges::find(list, record.id) != list.end();
  };
  if (!has_it(known_) && !has_it(out)) {
    out.push_back(record.id);
  }
}

std::vector<std::string> JobFinder::next() {
  std::vector<std::string> out;
  const std::string text = added();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const auto record = journal::parse(std::string_view{text}.substr(at, end - at));
    if (record && record->queue_start == queue_start_) {
      add(*record, out);
    }
    at = end + 1;
  }
  if (out.empty()) {
    each_job(lanes_, queue_start_, kNewest,
             [&](const journal::Record& record) { add(record, out); });
    std::ranges::reverse(out);
  }
  known_.insert(known_.end(), out.begin(), out.end());
  if (known_.size() > kNewest) {
    known_.erase(known_.begin(), known_.end() - static_cast<std::ptrdiff_t>(kNewest));
  }
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

std::string forecast_words(std::optional<milliseconds> own, std::optional<milliseconds> all) {
  if (!own) {
    return {};
  }
  return " (usually " + duration_words(*own) +
         (all ? "; about " + duration_words(*all) + " to go" : "") + ")";
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
