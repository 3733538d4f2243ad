#include "multicall/monitor/stream.hpp"

#include <poll.h>

#include <cerrno>
#include <csignal>

#include "core/process/orphans.hpp"
#include "core/process/signals.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/context/orphan_rules.hpp"
#include "multicall/monitor/story.hpp"
#include "multicall/monitor/tails.hpp"
#include "multicall/monitor/wakes.hpp"
#include "multicall/term/print.hpp"

namespace onelane::multicall::monitor {
namespace {

using nlohmann::json;

constexpr int kForEver = -1;
constexpr int kByTheClock = 2'000;  ///< ms; when no event would wake us.
constexpr int kRecordIsDue = 200;   ///< ms; a run is gone and its record has yet to come.

class Stream {
 public:
  explicit Stream(const LanesHere& lanes)
      : lanes_{lanes},
        wakes_{lanes},
        usual_{lanes.project.state_dir},
        journal_{lanes.project.state_dir},
        logs_{log_directory(lanes.project, lanes.settings)} {}

  void begin() {
    const auto looks = look();
    write(story_.begin(lanes_, looks, sys::wall_milliseconds()));
    for (const std::string& run : story_.running()) {
      logs_.skip(run);
    }
  }

  void run() {
    while (!is_over_) {
      wait();
      if (is_over_) {
        return;
      }
      wakes_.drain();
      tell();
    }
  }

 private:
  std::vector<LaneLook> look() {
    auto looks = look_at_lanes(lanes_, usual_.get());
    wakes_.follow(looks);
    return looks;
  }

  // The lanes first: a record that comes between the two reads is told with the next look at the
  // latest, and never before its run was seen to start.
  void tell() {
    const auto looks = look();
    const auto events = story_.see(looks, sys::wall_milliseconds());
    for (const std::string& run : story_.running()) {
      tell_warnings(run);
    }
    for (const Event& event : events) {
      write(event);
      if (event.at("event") == "finished") {
        tell_orphans(event.at("id"));  // no record: its writer may be dead
        logs_.forget(event.at("id"));
      }
    }
    for (const journal::Record& record : journal_.read()) {
      usual_.journal_has_changed();
      tell_warnings(record.id);
      logs_.forget(record.id);
      for (const Event& event : story_.see(record)) {
        write(event);
      }
    }
  }

  void tell_warnings(const std::string& run) {
    for (const std::string& text : logs_.read(run)) {
      write({{"schema", 1},
             {"event", "warned"},
             {"at_wall_ms", sys::wall_milliseconds()},
             {"id", run},
             {"text", text}});
    }
  }

  void tell_orphans(const std::string& run) {
    const RunBook book = run_book(lanes_);
    process::OrphanRules rules = orphan_rules(&lanes_, book);
    rules.is_wanted = [&run](std::string_view id) { return id == run; };
    for (const process::Orphan& orphan : process::OrphanWatch{std::move(rules)}.scan().orphans) {
      write({{"schema", 1},
             {"event", "orphan"},
             {"at_wall_ms", sys::wall_milliseconds()},
             {"id", run},
             {"pid", orphan.stat.id.pid},
             {"command", sys::command_line(orphan.stat.id.pid)}});
    }
  }

  void wait() {
    // No POLLIN: only the reader's leaving matters.
    std::vector<pollfd> polled{{signals_.fd(), POLLIN, 0}, {1, 0, 0}};
    for (const int fd : wakes_.fds()) {
      polled.push_back({fd, POLLIN, 0});
    }
    const int limit = story_.expects_records()   ? kRecordIsDue
                      : wakes_.sees_everything() ? kForEver
                                                 : kByTheClock;
    (void)::poll(polled.data(), polled.size(), limit);
    process::Signals::Arrived arrived;
    while (signals_.next_noticed(arrived)) {
      take(arrived.signal);
    }
    is_over_ = is_over_ || (polled[1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
  }

  void take(int signal) {
    switch (signal) {
      case SIGTSTP:
      case SIGTTIN:
      case SIGTTOU:
        (void)process::stop_self(signal);
        break;
      case SIGINT:
      case SIGTERM:
      case SIGHUP:
      case SIGQUIT:
      case SIGPIPE:
        is_over_ = true;
        break;
      default:
        break;
    }
  }

  void write(const Event& event) {
    const auto line = json_line(event) + "\n";
    if (!sys::write_all(1, line)) {
      if (errno != EPIPE) {
        throw OutputError{};
      }
      is_over_ = true;
    }
  }

  const LanesHere& lanes_;
  process::Signals signals_;
  Wakes wakes_;
  FreshUsual usual_;
  Story story_;
  JournalTail journal_;
  LogTails logs_;
  bool is_over_ = false;
};

}  // namespace

int run_stream(const LanesHere& lanes, Until until) {
  Stream stream{lanes};
  stream.begin();
  if (until == Until::Told) {
    stream.run();
  }
  return 0;
}

}  // namespace onelane::multicall::monitor
