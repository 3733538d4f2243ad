#include "core/queue/progress.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "core/queue/store_parts.hpp"
#include "core/queue/text.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace onelane::queue {
namespace {

/// The file is replaced when it has grown by this much and by more than the marks of what it held,
/// or becomes too long: then what that costs is a small part of what has brought it there.
constexpr std::uint64_t kMayGrow = std::uint64_t{1} << 20;

bool is_same_file(int fd, const std::string& path) {
  struct stat known {};
  struct stat there {};
  return ::fstat(fd, &known) == 0 && ::stat(path.c_str(), &there) == 0 &&
         known.st_ino == there.st_ino && known.st_dev == there.st_dev;
}

}  // namespace

std::optional<Entry> Progress::step(const Entry* ended, const std::string& queue_start,
                                    const std::function<Step(const Now&)>& decide) {
  const Store::Guard guard{store_};
  try {
    follow();
    const Step step = decide(now_);
    if (step != Step::Begin) {
      if (has_marks_ || ended != nullptr || step == Step::End) {
        replace(ended, step == Step::End);  // the environment of what has ended goes
      }
      return std::nullopt;
    }
    std::string records = ended == nullptr ? std::string{}
                                           : to_line(EndRecord{ended->id, ended->state, ended->code,
                                                               ended->run, ended->ended_wall_ms});
    Entry entry = read_next();
    entry.state = State::Running;
    entry.started_wall_ms = sys::wall_milliseconds();
    entry.queue_start = queue_start;
    records += to_line(BeginRecord{entry.id, queue_start, entry.started_wall_ms});
    mark(std::move(records));
    if (reader_.end > first_size_ + kMayGrow &&
        (reader_.end > 3 * first_size_ || reader_.end > kLongestKept)) {
      replace(nullptr, false);
    }
    return entry;
  } catch (...) {
    forget();
    throw;
  }
}

/// Brings what is known up to date.
void Progress::follow() {
  if (store_.has_old()) {
    replace(nullptr, false);
  }
  const bool is_known = file_.is_open() && is_same_file(file_.get(), store_.path());
  if (!is_known) {
    forget();
    file_ = store_.open_log(O_RDWR | O_APPEND);
    if (!file_.is_open()) {
      replace(nullptr, false);
      file_ = store_.open_log(O_RDWR | O_APPEND);
    }
  }
  const auto end = reader_.read(content_of(file_.get(), store_.path(), reader_.end), store_.boot_,
                                [this](Record&& record, std::uint64_t at, std::size_t size) {
                                  return take(std::move(record), {at, size});
                                });
  if (end == LogEnd::Damaged) {
    throw_damaged(store_.path());
  }
  if (end == LogEnd::Torn) {
    store_.cut(file_.get(), reader_.end);
  }
  if (!is_known) {
    first_size_ = reader_.end;
#ifdef __GLIBC__
    (void)::malloc_trim(0);  // what the records took is free again: no fork shall copy it
#endif
  }
}

void Progress::forget() {
  file_.reset();
  reader_ = {};
  now_ = {};
  waiting_.clear();
  next_ = 0;
  environments_.clear();
  environment_.reset();
}

bool Progress::take(Record&& record, Place place) {
  if (const auto* head = std::get_if<HeadRecord>(&record)) {
    now_.is_closed = head->queue.is_closed;
    now_.is_stopping = head->queue.is_stopping;
    now_.is_paused = head->queue.paused_wall_ms != 0;
  } else if (std::holds_alternative<EnvironmentRecord>(record)) {
    environments_.push_back(place);
  } else if (const auto* added = std::get_if<EntryRecord>(&record)) {
    if (added->entry.state == State::Queued) {
      const auto known = weigh_ ? weigh_(added->entry) : std::nullopt;
      waiting_.push_back({added->entry.id, place, known ? known->count() : -1});
      ++now_.queued;
      now_.known += known.value_or(std::chrono::milliseconds{0});
      now_.unknown += known ? 0U : 1U;
    }
  } else if (const auto* begin = std::get_if<BeginRecord>(&record)) {
    return take_begun(begin->id);
  }
  return true;
}

/// Entries begin in their order.
bool Progress::take_begun(std::uint64_t id) {
  if (next_ == waiting_.size() || waiting_[next_].id != id) {
    return false;
  }
  const Waiting& begun = waiting_[next_++];
  --now_.queued;
  if (begun.known_ms < 0) {
    --now_.unknown;
  } else {
    now_.known -= std::chrono::milliseconds{begun.known_ms};
  }
  return true;
}

/// The first queued entry, from the file.
Entry Progress::read_next() {
  const auto record_at = [this](const Place& place) {
    return parse_record(read_at(file_.get(), store_.path(), place.at, place.size));
  };
  auto record = record_at(waiting_.at(next_).place);
  auto* next = record ? std::get_if<EntryRecord>(&*record) : nullptr;
  if (next == nullptr) {
    throw_damaged(store_.path());
  }
  if (next->environment) {
    if (!environment_ || newest_ != *next->environment) {
      const auto kept = record_at(environments_.at(*next->environment));
      const auto* environment = kept ? std::get_if<EnvironmentRecord>(&*kept) : nullptr;
      if (environment == nullptr) {
        throw_damaged(store_.path());
      }
      environment_ = std::make_shared<const Environment>(environment->environment);
      newest_ = *next->environment;
    }
    next->entry.environment = environment_;
  }
  return std::move(next->entry);
}

/// Appends a change that begins the next entry.
void Progress::mark(std::string records) {
  Commit commit = reader_.last;
  commit.is_promise = false;
  commit.at = reader_.end;
  commit.boot = store_.boot_;
  --commit.queued;
  const std::string text = change_text(std::move(records), commit);
  store_.append(file_.get(), reader_.end, text, false);
  reader_.last = commit;
  reader_.end += text.size();
  (void)take_begun(waiting_[next_].id);
  has_marks_ = true;
  unsynced_since_ = unsynced_since_ ? unsynced_since_ : sys::monotonic_time();
}

/// Replaces the file by one without what is no longer needed.
void Progress::replace(const Entry* ended, bool is_end) {
  Store::Content content = store_.load();
  Queue& queue = content.log.queue();
  if (Entry* entry = ended == nullptr ? nullptr : find(queue, ended->id)) {
    *entry = *ended;
  }
  if (is_end) {
    forget_starter(queue, sys::wall_milliseconds());
  }
  store_.replace(content);
  has_marks_ = false;
  unsynced_since_.reset();
}

void Progress::sync() noexcept {
  if (file_.is_open()) {
    (void)::fdatasync(file_.get());
  }
  unsynced_since_.reset();
}

}  // namespace onelane::queue
