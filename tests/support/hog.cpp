#include "tests/support/hog.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

namespace hog {

const char* mark = "";
const char* trace_path = nullptr;

namespace {

constexpr int kUsage = 64;

void note(int) {
  const int error = errno;
  trace("sig TERM");
  errno = error;
}
void note_and_end(int) {
  trace("sig TERM");
  ::_exit(9);
}
void on_term(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGTERM, &action, nullptr);
}

void do_mark(Script& s) {
  mark = s.next();
}
void do_trace(Script& s) {
  trace_path = s.next();
}
void do_say(Script& s) {
  trace(s.next());
}
void do_ignore_term(Script&) {
  on_term(SIG_IGN);
}
void do_note_term(Script&) {
  on_term(note);
}
void do_end_on_term(Script&) {
  on_term(note_and_end);
}
void do_exit(Script& s) {
  ::_exit(static_cast<int>(s.number()));
}
void do_sleep(Script& s) {
  sleep_ms(s.number());
}
void do_hold(Script&) {
  for (;;) {
    ::pause();
  }
}
void do_idle(Script& s) {
  sleep_ms(s.number() * 1'000);
}
void do_busy(Script& s) {
  const std::int64_t until = now() + s.number() * 1'000'000'000;
  volatile unsigned long work = 0;
  while (now() < until) {
    for (int i = 0; i < 100'000; ++i) {
      work = work + 1;
    }
  }
}
/// Writes and reads a little now and then, using far less than a tick of processor time.
void do_io(Script& s) {
  const std::int64_t until = now() + s.number() * 1'000'000'000;
  const int fd = ::open(".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
  if (fd < 0) {
    give_up("open .");
  }
  char block[4096] = {};
  while (now() < until) {
    if (::pwrite(fd, block, sizeof block, 0) < 0 || ::pread(fd, block, sizeof block, 0) < 0) {
      give_up("io");
    }
    sleep_ms(100);
  }
  ::close(fd);
}
void do_create(Script& s) {
  const char* path = s.next();
  if (::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) < 0) {
    give_up(path);
  }
}
void do_wait_all(Script&) {
  while (::wait(nullptr) > 0 || errno == EINTR) {
  }
}

struct Verb {
  std::string_view name;
  void (*run)(Script&);
};
// bomb N            N processes that replace each other when they end; each in a session of its
//                   own, twice forked, without environment and descriptors; all end after 25 s
// bomb-member …     one of them
// burst MB          takes memory as fast as it can
// busy S            uses processor time
// call … end        runs a program to its end, and ends the same way unless that was with 0
// churn N           N processes one after another, each ending at once
// count FILE        keeps the bytes taken so far in FILE, as eight bytes, after a SIGKILL too
// create FILE       a new file, kept open
// dirty             writes to all of the memory taken so far
// each N … end      N children that run the verbs between
// end-on-term       traces "sig TERM" and ends with 9
// escape            continues in its own session, forked twice, without environment or descriptors
// exit CODE, hold, idle S, sleep MS, wait-all
// ignore-term       SIG_IGN
// io S              reads and writes a little
// leak RATE MB      takes MB at RATE MB per second
// map FILE          maps a file and reads all of it
// mark TEXT         does nothing: a word by which tests find the processes
// note-term         traces "sig TERM" and continues
// release MB        gives memory back until MB are left
// reserve MB        address space that is never touched
// say TEXT          a line in the trace
// shm MB            a mapped file in /dev/shm, already unlinked
// stopped N         N children that stop themselves
// threads N         N threads that sleep
// trace FILE        where trace lines go; $TRACE at the start
// zombies N         N children that have ended but are not reaped; each traces "zombie"
constexpr Verb kVerbs[] = {{"bomb", do_bomb},
                           {"bomb-member", do_bomb_member},
                           {"burst", do_burst},
                           {"busy", do_busy},
                           {"call", do_call},
                           {"churn", do_churn},
                           {"count", do_count},
                           {"create", do_create},
                           {"dirty", do_dirty},
                           {"each", do_each},
                           {"end-on-term", do_end_on_term},
                           {"escape", do_escape},
                           {"exit", do_exit},
                           {"hold", do_hold},
                           {"idle", do_idle},
                           {"ignore-term", do_ignore_term},
                           {"io", do_io},
                           {"leak", do_leak},
                           {"map", do_map},
                           {"mark", do_mark},
                           {"note-term", do_note_term},
                           {"release", do_release},
                           {"reserve", do_reserve},
                           {"say", do_say},
                           {"shm", do_shm},
                           {"sleep", do_sleep},
                           {"stopped", do_stopped},
                           {"threads", do_threads},
                           {"trace", do_trace},
                           {"wait-all", do_wait_all},
                           {"zombies", do_zombies}};
static_assert(std::ranges::is_sorted(kVerbs, {}, &Verb::name));

}  // namespace

void run(Script script) {
  while (!script.done()) {
    const std::string_view name = script.next();
    const auto* verb = std::ranges::lower_bound(kVerbs, name, {}, &Verb::name);
    if (verb == std::end(kVerbs) || verb->name != name) {
      ::dprintf(2, "hog: no verb %s\n", name.data());
      ::_exit(kUsage);
    }
    verb->run(script);
  }
}

std::int64_t now() noexcept {
  timespec at{};
  ::clock_gettime(CLOCK_MONOTONIC, &at);
  return std::int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec;
}

void trace(const char* text) noexcept {
  if (trace_path == nullptr) {
    return;
  }
  char line[256];
  const int size = std::snprintf(line, sizeof line, "%lld %d %s\n", static_cast<long long>(now()),
                                 ::getpid(), text);
  const int fd = ::open(trace_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (fd >= 0) {
    (void)!::write(fd, line, std::min(static_cast<std::size_t>(size), sizeof line - 1));
    ::close(fd);
  }
}

void arm(long seconds) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGKILL;
  timer_t timer{};
  itimerspec when{};
  when.it_value.tv_sec = seconds;
  if (::timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
      ::timer_settime(timer, 0, &when, nullptr) != 0) {
    give_up("timer");
  }
}

int armed_fork() {
  const int pid = ::fork();
  if (pid < 0) {
    ::_exit(71);
  }
  if (pid == 0) {
    arm(kLife);
  }
  return pid;
}

void sleep_ms(long ms) {
  timespec left{ms / 1'000, (ms % 1'000) * 1'000'000};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

void give_up(const char* what) {
  ::dprintf(2, "hog: %s: %s\n", what, std::strerror(errno));
  ::_exit(70);
}

char* Script::next() {
  if (done()) {
    ::dprintf(2, "hog: a word is missing at the end\n");
    ::_exit(kUsage);
  }
  return *at_++;
}

long Script::number() {
  return std::atol(next());
}

Script Script::block() {
  char** const begin = at_;
  for (int depth = 1;;) {
    const std::string_view word = next();
    depth += word == "each" || word == "call" ? 1 : 0;
    depth -= word == "end" ? 1 : 0;
    if (depth == 0) {
      return {begin, at_ - 1};
    }
  }
}

}  // namespace hog

int main(int argc, char** argv) {
  hog::trace_path = std::getenv("TRACE");
  hog::arm(hog::kLife);
  hog::run({argv + 1, argv + argc});
  return 0;
}
