#include "core/process/guardian.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>

#include "core/process/ending.hpp"

namespace onelane::process {
namespace {

/// A file opened later must not get number 0, 1 or 2: text meant for a standard stream would go
/// there.
void fill_standard_descriptors() noexcept {
  const int null = ::open("/dev/null", O_RDWR);
  for (int fd = 0; null >= 0 && fd < 3; ++fd) {
    if (fd != null) {
      ::dup2(null, fd);
    }
  }
  if (null > 2) {
    ::close(null);
  }
}

/// Closes every descriptor but those in `kept`.
void close_all_but(std::vector<int> kept) noexcept {
  std::ranges::sort(kept);
  unsigned first = 0;
  for (const int fd : kept) {
    if (fd >= 0 && static_cast<unsigned>(fd) > first) {
      ::syscall(SYS_close_range, first, static_cast<unsigned>(fd) - 1, 0U);
    }
    first = static_cast<unsigned>(fd) + 1;
  }
  ::syscall(SYS_close_range, first, ~0U, 0U);
}

constexpr char kSettled = 's';
constexpr char kForget = 'f';
constexpr char kWatch = 'w';

void forget_pending_signals() noexcept {
  sigset_t all;
  ::sigfillset(&all);
  const timespec none{0, 0};
  while (::sigtimedwait(&all, nullptr, &none) > 0) {
  }
}

}  // namespace

/// One writer, and one reader that reads only after the writer is dead. The count is written last,
/// so a supervisor killed midway leaves the older, shorter list.
struct Guardian::Board {
  std::atomic<std::uint32_t> count;
  sys::ProcessId members[kMostPublished];
};

Guardian::~Guardian() {
  settled();
  reap();
  if (board_ != nullptr) {
    ::munmap(board_, sizeof(Board));
  }
}

bool Guardian::make_board() noexcept {
  if (board_ == nullptr) {
    void* memory =
        ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    board_ = memory == MAP_FAILED ? nullptr : static_cast<Board*>(memory);
  }
  return board_ != nullptr;
}

void Guardian::start(const Duty& duty) noexcept {
  int ends[2];
  if (!make_board() || ::pipe2(ends, O_CLOEXEC) != 0) {
    return;
  }
  sys::FileDescriptor read_end = sys::lift(ends[0]);
  pipe_ = sys::lift(ends[1]);
  if (!read_end.is_open() || !pipe_.is_open()) {
    pipe_.reset();
    errno = EMFILE;
    return;
  }
  pid_ = ::fork();
  if (pid_ == 0) {
    pipe_.reset();
    watch(duty, read_end.get());
  }
  if (pid_ < 0) {
    pipe_.reset();
  }
}

void Guardian::watch(const Duty& duty, int pipe) noexcept {
  ::setsid();
  ::prctl(PR_SET_NAME, kGuardianName);
  std::vector<int> kept = duty.lane.descriptors;
  kept.push_back(pipe);
  close_all_but(std::move(kept));
  char word = 0;
  bool is_told = false;
  while (!is_told && sys::read_up_to(pipe, &word, 1) == 1) {
    if (word == kSettled) {
      ::_exit(0);
    }
    is_told = word == kWatch;
    if (!is_told) {
      forget_pending_signals();
    }
  }
  Search search;
  search.run_id = duty.run_id;
  search.known = {sys::self_id()};
  const std::uint32_t count = std::min<std::uint32_t>(board_->count.load(), kMostPublished);
  search.published.assign(board_->members, board_->members + count);
  if (is_told) {
    keep_lane(duty, search.published);
    duty.lane.after_background();
    ::_exit(0);
  }
  Ending ending;
  ending.grace = duty.kill_timeout;
  ending.members = [&] { return find_members(search, duty.traits, duty.keep); };
  ending.wait = [](std::chrono::milliseconds pause) {
    const timespec nap{pause.count() / 1000, (pause.count() % 1000) * 1'000'000};
    ::nanosleep(&nap, nullptr);
    return true;
  };
  (void)end_members(ending);
  keep_lane(duty, {});
  if (duty.lane.after_crash) {
    duty.lane.after_crash(find_kept(search, duty.traits, duty.keep));
  }
  ::_exit(0);
}

// After a crash the calls are searched for, starting from the members that the supervisor
// published.
void Guardian::keep_lane(const Duty& duty, const std::vector<sys::ProcessId>& roots) {
  if (!duty.background.is_lane_call || duty.run_id.empty()) {
    return;
  }
  fill_standard_descriptors();
  Background background{duty.background, roots};
  if (roots.empty()) {
    if (!background.lives()) {
      return;
    }
    std::vector<KeptProcess> calls;
    for (const sys::ProcessId& id : background.calls()) {
      calls.push_back({id, sys::command_line(id.pid, 80), Leftover::Detached, true});
    }
    duty.lane.found_background(calls);
  }
  background.see_through();
}

template <class Members, class IdOf>
void Guardian::put(const Members& members, const IdOf& id_of) noexcept {
  if (board_ == nullptr) {
    return;
  }
  const std::size_t count = std::min(members.size(), kMostPublished);
  board_->count = static_cast<std::uint32_t>(std::min<std::size_t>(count, board_->count));
  for (std::size_t i = 0; i < count; ++i) {
    board_->members[i] = id_of(members[i]);
  }
  board_->count = static_cast<std::uint32_t>(count);
}

void Guardian::publish(std::span<const sys::ProcessStat> members) noexcept {
  put(members, [](const sys::ProcessStat& stat) { return stat.id; });
}

void Guardian::publish(std::span<const sys::ProcessId> members) noexcept {
  put(members, [](const sys::ProcessId& id) { return id; });
}

void Guardian::settled() noexcept {
  if (pipe_.is_open()) {
    (void)sys::write_all(pipe_.get(), {&kSettled, 1});
    pipe_.reset();
  }
}

void Guardian::forget_signals() const noexcept {
  if (pipe_.is_open()) {
    (void)sys::write_all(pipe_.get(), {&kForget, 1});
  }
}

bool Guardian::keep_watch() noexcept {
  if (pid_ <= 0 || !pipe_.is_open() || !sys::write_all(pipe_.get(), {&kWatch, 1})) {
    return false;
  }
  pipe_.reset();
  pid_ = -1;
  return true;
}

void Guardian::reap() noexcept {
  if (pid_ > 0) {
    // It has nothing left to do; if stopped, it would never read the message.
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
}

}  // namespace onelane::process
