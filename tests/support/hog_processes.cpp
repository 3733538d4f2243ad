#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/hog.hpp"

// Verbs that make processes.
namespace hog {
namespace {

constexpr std::int64_t kBombLife = 25'000'000'000;  ///< Nanoseconds from the first to the last.
constexpr long kMostMembers = 1'000;
constexpr long kLongestNap = 20;  ///< Milliseconds between two looks by a bomb's member.

/// Starts this program again with `verbs` and an empty environment.
[[noreturn]] void start_anew(const std::vector<std::string>& verbs) {
  std::vector<std::string> words{"hog", "mark", mark};
  if (trace_path != nullptr) {
    words.insert(words.end(), {"trace", trace_path});
  }
  words.insert(words.end(), verbs.begin(), verbs.end());
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  char* const nothing[] = {nullptr};
  ::execve("/proc/self/exe", arguments.data(), nothing);
  ::_exit(70);
}

/// Continues in a grandchild in a session of its own, without descriptors. Returns true in the
/// grandchild and false in the caller.
bool fork_twice() {
  const int child = ::fork();
  if (child < 0) {
    return false;  // a bomb continues without it
  }
  if (child > 0) {
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
    return false;
  }
  ::setsid();
  if (armed_fork() != 0) {
    ::_exit(0);
  }
  ::syscall(SYS_close_range, 0U, ~0U, 0U);
  return true;
}

/// One member's slot: a record lock (fcntl(2)) on byte `slot`, which the kernel releases however
/// the member ends.
struct flock place(long slot) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = slot;
  lock.l_len = 1;
  return lock;
}
bool take(int fd, long slot) {
  const struct flock lock = place(slot);
  return ::fcntl(fd, F_SETLK, &lock) == 0;
}
bool is_free(int fd, long slot) {
  struct flock lock = place(slot);
  return ::fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}

struct Bomb {
  std::string file;
  long members = 0;
  std::int64_t until = 0;
};

void start_member(const Bomb& bomb, long slot) {
  if (fork_twice()) {
    start_anew({"bomb-member", bomb.file, std::to_string(bomb.members), std::to_string(bomb.until),
                std::to_string(slot)});
  }
}

/// Fills free slots in changing order, until `until`.
void respawn(const Bomb& bomb, int fd, std::int64_t until) {
  auto random = static_cast<unsigned>(::getpid());
  while (now() < until) {
    const long slot = ::rand_r(&random) % bomb.members;
    const bool wanted = is_free(fd, slot);
    if (wanted) {
      start_member(bomb, slot);
    }
    sleep_ms(wanted ? 2 : kLongestNap);
  }
}

}  // namespace

void do_each(Script& s) {
  const long count = s.number();
  const Script block = s.block();
  for (long i = 0; i < count; ++i) {
    if (armed_fork() == 0) {
      run(block);
      ::_exit(0);
    }
  }
}

void do_call(Script& s) {
  const Script block = s.block();
  std::vector<char*> words{block.begin(), block.end()};
  words.push_back(nullptr);
  const int pid = ::fork();
  if (pid == 0) {
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status)) {
    ::_exit(128 + WTERMSIG(status));
  }
  if (WEXITSTATUS(status) != 0) {
    ::_exit(WEXITSTATUS(status));
  }
}

void do_escape(Script& s) {
  if (!fork_twice()) {
    ::_exit(0);
  }
  start_anew({s.begin(), s.end()});
}

void do_zombies(Script& s) {
  for (long left = s.number(); left > 0; --left) {
    if (armed_fork() == 0) {
      trace("zombie");
      ::_exit(0);
    }
  }
}

void do_stopped(Script& s) {
  for (long left = s.number(); left > 0; --left) {
    if (armed_fork() == 0) {
      ::raise(SIGSTOP);
      for (;;) {
        ::pause();
      }
    }
  }
}

void do_threads(Script& s) {
  for (long left = s.number(); left > 0; --left) {
    std::thread{[] {
      for (;;) {
        ::pause();
      }
    }}.detach();
  }
}

void do_churn(Script& s) {
  for (long left = s.number(); left > 0; --left) {
    const int pid = armed_fork();
    if (pid == 0) {
      ::_exit(0);
    }
    (void)::waitpid(pid, nullptr, 0);
  }
}

void do_bomb(Script& s) {
  Bomb bomb;
  bomb.members = std::clamp(s.number(), 1L, kMostMembers);
  bomb.until = now() + kBombLife;
  char path[] = "hog-bomb-XXXXXX";
  const int fd = ::mkstemp(path);
  char* const absolute = fd < 0 ? nullptr : ::realpath(path, nullptr);
  if (absolute == nullptr) {
    give_up(path);
  }
  bomb.file = absolute;
  respawn(bomb, fd, bomb.until);
}

/// bomb-member FILE MEMBERS UNTIL SLOT
void do_bomb_member(Script& s) {
  Bomb bomb;
  bomb.file = s.next();
  bomb.members = s.number();
  bomb.until = s.number();
  const long slot = s.number();
  const int fd = ::open(bomb.file.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0 || !take(fd, slot)) {
    ::_exit(0);  // the test has ended, or another member was faster
  }
  // Some end early, so that the members change even when none is killed.
  const std::int64_t life = (200 + slot * 37 % 3'000) * 1'000'000;
  respawn(bomb, fd, std::min(bomb.until, now() + life));
  ::_exit(0);
}

}  // namespace hog
