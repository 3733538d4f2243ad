#include "multicall/view/follow_runs.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "core/journal/record.hpp"
#include "multicall/view/find_ticket.hpp"
#include "multicall/view/run_view.hpp"

namespace onelane::multicall {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSafety{30'000};    ///< In case an event is lost; no answer depends on it.
constexpr milliseconds kUnwatched{1'000};  ///< If no event comes: another container, a guardian.

constexpr off_t kMostBytes = off_t{16} << 20;
constexpr std::size_t kLongestLine = std::size_t{64} << 10;
constexpr std::size_t kTimeLength = 24;  // 2026-11-21T12:00:00.123Z
constexpr std::string_view kEnding = ".log";

}  // namespace

Changes::Changes(const LanesHere& lanes, std::string log_directory)
    : state_directory_{lanes.project.state_dir},
      log_directory_{std::move(log_directory)},
      watch_{sys::lift(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK))} {
  add_watches();
}

void Changes::add_watches() {
  constexpr unsigned kComing = IN_CREATE | IN_MOVED_TO | IN_MASK_ADD;
  constexpr unsigned kAll = kComing | IN_MODIFY | IN_ATTRIB;
  for (const std::string& path : {state_directory_, state_directory_ + "/git", log_directory_}) {
    (void)::inotify_add_watch(watch_.get(), path.c_str(), kAll | IN_ONLYDIR);
  }
  // While the log directory is missing, its nearest existing parent shows when it is created.
  std::string path = log_directory_;
  struct stat info {};
  while (path.size() > 1 && ::stat(path.c_str(), &info) != 0) {
    path.resize(std::max<std::size_t>(path.rfind('/'), 1));
    (void)::inotify_add_watch(watch_.get(), path.c_str(), kComing | IN_ONLYDIR);
  }
}

void Changes::follow(const sys::ProcessId& supervisor) {
  if (supervisor.pid <= 0 || supervisor == supervisor_) {
    return;
  }
  supervisor_ = supervisor;
  pidfd_ = sys::lift(static_cast<int>(::syscall(SYS_pidfd_open, supervisor.pid, 0)));
  if (pidfd_.is_open() && !sys::exists(supervisor)) {
    pidfd_.reset();
  }
}

bool Changes::wait(milliseconds limit) {
  limit = watch_.is_open() ? limit : std::min(limit, kUnwatched);
  std::array<pollfd, 3> polled{pollfd{watch_.get(), POLLIN, 0}, pollfd{pidfd_.get(), POLLIN, 0},
                               pollfd{1, 0, 0}};
  (void)::poll(polled.data(), polled.size(), static_cast<int>(limit.count()));
  if ((polled[1].revents & POLLIN) != 0) {
    pidfd_.reset();
  }
  alignas(inotify_event) std::array<char, 4096> events;
  while (watch_.is_open() && ::read(watch_.get(), events.data(), events.size()) > 0) {
  }
  if (watch_.is_open()) {
    add_watches();
  }
  return (polled[2].revents & (POLLERR | POLLHUP)) == 0;
}

bool is_inside(const RunView& run) {
  if (!run.live || run.live->supervisor.pid <= 0) {
    return false;
  }
  const auto above = sys::ancestry_of(::getpid()).chain;
  return std::ranges::any_of(
      above, [&](const sys::ProcessStat& stat) { return stat.id == run.live->supervisor; });
}

RunFollower::RunFollower(const LanesHere& lanes, RunView run, std::string log_directory)
    : lanes_{lanes},
      run_{std::move(run)},
      changes_{lanes, std::move(log_directory)},
      found_{find_ticket(lanes, run_.record.id)} {}

std::optional<RunView> RunFollower::find_live() const {
  auto live = live_views(lanes_);
  const auto it = std::ranges::find_if(
      live, [&](const RunView& other) { return other.record.id == run_.record.id; });
  return it == live.end() ? std::nullopt : std::optional{std::move(*it)};
}

bool RunFollower::look() {
  if (!run_.live) {
    return true;
  }
  if (auto live = find_live()) {
    run_ = std::move(*live);
    has_started_ = has_started_ || run_.live->has_started();
    if (auto found = find_ticket(lanes_, run_.record.id)) {
      found_ = std::move(found);
    }
    changes_.follow(run_.live->supervisor);
    return false;
  }
  if (auto record = record_of_ended(lanes_, run_.record.id, found_)) {
    run_ = view_of(std::move(*record));
  }
  return true;
}

bool RunFollower::wait() {
  const bool is_unwatched = !run_.live || !run_.live->is_here || changes_.has_ended();
  return changes_.wait(is_unwatched ? kUnwatched : kSafety);
}

std::optional<std::int64_t> wall_ms_of(std::string_view time) {
  if (time.size() != kTimeLength || time[19] != '.' || time.back() != 'Z') {
    return std::nullopt;
  }
  std::tm date{};
  const std::string whole{time.substr(0, 19)};
  const char* end = ::strptime(whole.c_str(), "%Y-%m-%dT%H:%M:%S", &date);
  int ms = 0;
  for (const char digit : time.substr(20, 3)) {
    if (digit < '0' || digit > '9') {
      return std::nullopt;
    }
    ms = ms * 10 + (digit - '0');
  }
  return end == nullptr || *end != '\0' ? std::nullopt
                                        : std::optional{std::int64_t{::timegm(&date)} * 1000 + ms};
}

sys::FileDescriptor LogTail::open(const std::string& ending) const {
  const std::string path = directory_ + "/" + run_id_ + ending;
  auto file =
      sys::try_open_file(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat info {};
  if (file.is_open() && (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))) {
    file.reset();
  }
  return file;
}

void LogTail::add(std::string_view line, std::vector<LogLine>& out) {
  if (ending_ == kEnding && wall_ms_of(line.substr(0, kTimeLength))) {
    time_ = line.substr(0, kTimeLength);
  }
  out.push_back({run_id_, time_, printable(line, kLongestLine)});
}

void LogTail::read_all(int fd, std::vector<LogLine>& out) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    return;
  }
  at_ = info.st_size < at_ ? 0 : std::max(at_, info.st_size - kMostBytes);
  std::string chunk(std::size_t{64} << 10U, '\0');
  for (;;) {
    const ssize_t got = ::pread(fd, chunk.data(), chunk.size(), at_);
    if (got <= 0) {
      return;
    }
    at_ += got;
    std::string_view rest{chunk.data(), static_cast<std::size_t>(got)};
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      carry_.append(rest.substr(0, end));
      add(carry_, out);
      carry_.clear();
      rest.remove_prefix(end + 1);
    }
    // Only the beginning of an endless line is shown.
    carry_.append(rest.substr(0, kLongestLine + 1 - std::min(carry_.size(), kLongestLine + 1)));
  }
}

std::vector<LogLine> LogTail::next() {
  std::vector<LogLine> out;
  if (!journal::is_run_id(run_id_)) {
    return out;
  }
  if (!has_begun_) {
    has_begun_ = true;
    if (const auto aside = open(ending_ + ".1"); aside.is_open()) {
      read_all(aside.get(), out);
    }
    at_ = 0;
  } else if (file_.is_open()) {
    read_all(file_.get(), out);
  }
  auto named = open(ending_);
  struct stat info {};
  if (named.is_open() && ::fstat(named.get(), &info) == 0 &&
      (!file_.is_open() || info.st_ino != inode_)) {
    if (file_.is_open()) {
      read_all(file_.get(), out);  // what was written before the rotation
    }
    file_ = std::move(named);
    at_ = info.st_ino == inode_ ? at_ : 0;
    inode_ = info.st_ino;
    read_all(file_.get(), out);
  }
  return out;
}

std::vector<LogLine> LogTail::rest() {
  std::vector<LogLine> out;
  if (!carry_.empty()) {
    add(carry_, out);
    carry_.clear();
  }
  return out;
}

}  // namespace onelane::multicall
