#include "multicall/queue/run.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/journal/usual.hpp"
#include "core/lane/record.hpp"
#include "core/queue/progress.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/text.hpp"
#include "core/sys/users.hpp"
#include "multicall/queue/child.hpp"
#include "multicall/queue/queue_view.hpp"
#include "multicall/queue/record.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;
using queue::Entry;
using queue::Progress;
using queue::Queue;
using queue::State;
using std::chrono::nanoseconds;

/// How long a child that is told to end may take beyond its KILL_TIMEOUT, to clear away.
constexpr std::chrono::seconds kClearingAway{10};

/// How long the marks of what was begun and has ended may be missing on the disk. What promises
/// something to a person is waited for (Store::add); the end of an entry is in the record of its
/// run, and a command that takes less than this would wait longer for the disk than it runs. After
/// a crash of the machine, what was begun within this time may be queued again.
constexpr std::chrono::seconds kUntilSync{1};

/// While one lives, output of the entries goes to standard error, to keep standard output for JSON.
class OwnOutput {
 public:
  explicit OwnOutput(bool is_wanted) {
    if (is_wanted) {
      ours_ = sys::lift(::fcntl(1, F_DUPFD_CLOEXEC, 0));
      (void)::dup2(2, 1);
    }
  }
  OwnOutput(const OwnOutput&) = delete;
  OwnOutput& operator=(const OwnOutput&) = delete;
  ~OwnOutput() { give_back(); }
  void give_back() {
    if (ours_.is_open()) {
      (void)::dup2(ours_.get(), 1);
      ours_.reset();
    }
  }

 private:
  sys::FileDescriptor ours_;
};

/// The entries that were run, for the report. Kept in a file without a name: a fork copies the page
/// tables of all this process has, so an entry must not cost more the more have run.
class RunEntries {
 public:
  explicit RunEntries(bool are_wanted) {
    if (are_wanted) {
      file_ = sys::lift(::memfd_create("onelane-queue", MFD_CLOEXEC));
    }
  }
  void add(const Entry& entry) const {
    if (file_.is_open()) {
      (void)sys::write_all(file_.get(), json_line(json_of(entry)) + "\n");
    }
  }
  [[nodiscard]] json list() const {
    json out = json::array();
    std::string text;
    char piece[65536];
    (void)::lseek(file_.get(), 0, SEEK_SET);
    for (long got = 0; (got = sys::read_up_to(file_.get(), piece, sizeof piece)) > 0;) {
      text.append(piece, static_cast<std::size_t>(got));
    }
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      out.push_back(json::parse(text.substr(at, end - at)));
      at = end + 1;
    }
    return out;
  }

 private:
  sys::FileDescriptor file_;
};

/// One run of the queue: its steps and their state.
class QueueStart {
 public:
  QueueStart(const LanesHere& lanes, queue::Store& store, const StartOptions& options)
      : lanes_{lanes},
        options_{options},
        output_{options.as_json},
        watch_{store.watch()},
        child_{options.run_command, deadline_of(options),
               lanes.settings.kill_timeout.value + kClearingAway},
        progress_{store, is_quiet() ? Progress::Weigh{} : [this](const Entry& entry) {
                    return usual_.duration_of(command_of(entry));
                  }} {}

  int run() {
    while (const auto entry = take_next()) {
      run_one(*entry);
    }
    end();
    if (child_.signal() != 0) {
      process::die_of(child_.signal());
    }
    return static_cast<int>(code_);
  }

  [[nodiscard]] const std::string& id() const noexcept { return record_.id; }

 private:
  static std::optional<nanoseconds> deadline_of(const StartOptions& options) {
    return options.pipeline_timeout
               ? std::optional{sys::monotonic_time() + *options.pipeline_timeout}
               : std::nullopt;
  }

  /// Marks the next entry as running and returns it; nothing if the queue start is over.
  std::optional<Entry> take_next() {
    for (;;) {
      bool is_waiting = false;
      Progress::Now now;
      auto taken = progress_.step(last_ ? &*last_ : nullptr, id(), [&](const Progress::Now& seen) {
        now = seen;
        is_waiting = !is_ending(now) && waits(now);
        return is_waiting                          ? Progress::Step::Wait
               : is_ending(now) || now.queued == 0 ? Progress::Step::End
                                                   : Progress::Step::Begin;
      });
      last_.reset();
      if (taken) {
        say_next(now, *taken);
        return taken;
      }
      if (!is_waiting) {
        left_ = now.queued;
        was_stopped_ = now.is_stopping && left_ > 0;
        is_closed_ = now.is_closed;
        return std::nullopt;
      }
      wait_while_held(now);
    }
  }

  [[nodiscard]] bool is_ending(const Progress::Now& now) const {
    return now.is_stopping || child_.signal() != 0 || child_.is_timed_out() ||
           (code_ != 0 && !options_.keep_going);
  }

  [[nodiscard]] bool waits(const Progress::Now& now) const {
    return now.queued == 0 ? options_.until_closed && !now.is_closed : now.is_paused;
  }

  /// Blocks until the queue has changed. Must not write to it: that would wake us.
  void wait_while_held(Progress::Now now) {
    say(now.queued > 0 ? "queue: paused; `onelane queue resume` goes on"
                       : "queue: empty; waits for more until `onelane queue close`");
    for (;;) {
      char events[4096];
      while (watch_.is_open() && ::read(watch_.get(), events, sizeof events) > 0) {
      }
      (void)progress_.step(nullptr, id(), [&](const Progress::Now& seen) {
        now = seen;
        return Progress::Step::Wait;
      });
      if (is_ending(now) || !waits(now)) {
        return;
      }
      child_.idle(watch_.get());
    }
  }

  /// `now` is the queue before the entry was taken from it.
  void say_next(const Progress::Now& now, const Entry& entry) {
    ++begun_;
    title_ = "queue: " + std::to_string(begun_) + " of " + std::to_string(begun_ + now.queued - 1) +
             ": " + command_of(entry);
    if (is_quiet()) {
      return;
    }
    const auto own = usual_.duration_of(command_of(entry));
    const bool is_all_known = now.unknown == 0 && now.queued > 1;
    say(title_ + forecast_words(own, is_all_known ? std::optional{now.known} : std::nullopt));
  }

  void run_one(const Entry& entry) {
    const auto began = sys::monotonic_time();
    const auto unsynced = progress_.unsynced_since();
    const auto due = unsynced ? std::optional{*unsynced + kUntilSync} : std::nullopt;
    const auto status = child_.run(entry, id(), {due, [&] { progress_.sync(); }});
    const int error = errno;
    last_ = entry;
    if (!status) {
      say_always(title_ + " could not be started in " + sys::printable(entry.cwd) + ": " +
                 std::strerror(error));
    }
    const std::int64_t own = !status                ? kExitCannotExecute
                             : WIFSIGNALED(*status) ? 128 + WTERMSIG(*status)
                                                    : WEXITSTATUS(*status);
    const std::int64_t code = own != 0 && child_.is_timed_out() ? kExitTimedOut : own;
    const bool is_cut = code != 0 && child_.signal() != 0;
    const State state = code == 0 ? State::Passed : is_cut ? State::Interrupted : State::Failed;
    queue::finish(*last_, state, code, sys::wall_milliseconds());
    const auto jobs = jobs_.next();
    if (!jobs.empty()) {
      last_->run = jobs.back();
      record_.jobs.insert(record_.jobs.end(), jobs.begin(), jobs.end());
    }
    if (status) {
      say(title_ + " " + std::string{queue::word_of(state)} +
          (code == 0 ? "" : " with " + std::to_string(code)) + " after " +
          duration_words(sys::monotonic_time() - began));
    }
    code_ = options_.keep_going ? std::max(code_, code) : code_ == 0 ? code : code_;
    ++(state == State::Passed ? passed_ : failed_);
    entries_.add(*last_);
  }

  void end() {
    code_ = child_.signal() != 0         ? 128 + child_.signal()
            : child_.is_timed_out()      ? kExitTimedOut
            : code_ == 0 && was_stopped_ ? kExitGaveUp
                                         : code_;
    record_.ended_wall_ms = sys::wall_milliseconds();
    record_.duration_ms = record_.ended_wall_ms - record_.started_wall_ms;
    record_.code = code_;
    record_.reason = child_.signal() != 0    ? journal::Reason::Signalled
                     : child_.is_timed_out() ? journal::Reason::PipelineTimeout
                     : was_stopped_          ? journal::Reason::Stopped
                                             : journal::Reason::Exited;
    record_.signal = child_.signal();
    if (begun_ > 0) {
      append_queue_start(lanes_, record_);
    }
    if (child_.is_timed_out()) {
      say_always("queue: ended at --pipeline-timeout");
    }
    const bool found_nothing = options_.until_closed && is_closed_ && begun_ + left_ == 0;
    say(found_nothing ? "queue: closed and empty; nothing was run"
                      : queue_start_end_words({id(), begun_, passed_, failed_, left_}));
    output_.give_back();
    if (options_.as_json) {
      print_json({{"schema", 1},
                  {"queue_start", id()},
                  {"code", code_},
                  {"reason", journal::word_of(record_.reason)},
                  {"entries", entries_.list()},
                  {"left", left_}});
    }
  }

  const LanesHere& lanes_;
  const StartOptions& options_;
  OwnOutput output_;
  sys::FileDescriptor watch_;
  QueueChild child_;
  journal::Usual usual_{lanes_.project.state_dir};
  Progress progress_;
  journal::Record record_ = queue_start_record(lanes_, std::string{lane::view(lane::new_run_id())});
  JobFinder jobs_{lanes_, record_.id};
  std::string title_;          ///< "queue: 3 of 7: make test", for the current entry.
  std::optional<Entry> last_;  ///< With its result, which is not in the file yet.
  RunEntries entries_{options_.as_json};
  std::size_t begun_ = 0;
  std::size_t passed_ = 0;
  std::size_t failed_ = 0;
  std::size_t left_ = 0;  ///< Entries still queued at the end.
  bool was_stopped_ = false;
  bool is_closed_ = false;
  std::int64_t code_ = 0;
};

/// Writes the record of a queue start that was killed.
void record_crashed(const LanesHere& lanes, const Queue& before) {
  journal::Record record = queue_start_record(lanes, before.starter->queue_start);
  if (!journal::is_run_id(record.id)) {
    return;
  }
  record.started_wall_ms = before.starter->since_wall_ms;
  record.ended_wall_ms = sys::wall_milliseconds();
  record.reason = journal::Reason::Crashed;
  for (const RunView& job : jobs_of(lanes, record.id)) {
    record.jobs.push_back(job.record.id);
  }
  append_queue_start(lanes, record);
}

}  // namespace

int run_queue(const LanesHere& lanes, queue::Store& store, const StartOptions& options) {
  if (!store.become_starter()) {
    const auto starter = store.read().starter;
    say_always("the queue is being run already" +
               (starter ? " by " + starter_words(*starter) : std::string{}));
    return kExitGaveUp;
  }
  if (const auto code = prepare_queue(lanes, store, options)) {
    return *code;
  }
  QueueStart run{lanes, store, options};
  store.change([&](Queue& queue) {
    queue.starter =
        queue::Starter{::getpid(), sys::user_name(::geteuid()), run.id(), sys::wall_milliseconds()};
  });
  return run.run();
}

std::optional<int> prepare_queue(const LanesHere& lanes, queue::Store& store,
                                 const StartOptions& options) {
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
