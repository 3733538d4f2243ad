#include "multicall/job/coalesce/query.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/sys/clock.hpp"
#include "multicall/job/capture/split.hpp"
#include "multicall/shim/pause.hpp"

namespace onelane::multicall::coalesce {
namespace {

std::vector<char*> pointers_into(const std::vector<std::string>& list) {
  std::vector<char*> pointers;
  for (const std::string& text : list) {
    pointers.push_back(const_cast<char*>(text.c_str()));  // NOLINT: execve(2) changes nothing
  }
  pointers.push_back(nullptr);
  return pointers;
}

/// Runs after fork(2): must not allocate or throw.
[[noreturn]] void become(const char* directory, char** argv, char** environment, int out,
                         pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setsid();
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const bool is_ready = ::getppid() == parent && null >= 0 && ::dup2(null, 0) >= 0 &&
                        ::dup2(null, 2) >= 0 && ::dup2(out, 1) >= 0 && ::chdir(directory) == 0;
  if (is_ready) {
    ::syscall(SYS_close_range, 3U, ~0U, 0U);
    for (int signal = 1; signal < NSIG; ++signal) {
      ::signal(signal, SIG_DFL);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(argv[0], argv, environment);
  }
  ::_exit(127);
}

/// Reads up to the end of the stream; false if the patience is over or there is too much.
bool read_all(int fd, std::size_t longest, Patience& patience, std::string& out) {
  std::string chunk(std::size_t{64} << 10U, '\0');
  while (patience.goes_on() && out.size() <= longest) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(patience.until - sys::monotonic_time());
    pollfd polled[2] = {{fd, POLLIN, 0}, {patience.signals->fd(), POLLIN, 0}};
    (void)::poll(polled, 2, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (polled[0].revents == 0) {
      continue;
    }
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got == 0) {
      return true;
    }
    out.append(chunk, 0, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }
  return false;
}

}  // namespace

bool Patience::goes_on() {
  signal = signal != 0 ? signal : pause(*signals, std::chrono::milliseconds{0});
  return signal == 0 && sys::monotonic_time() < until;
}

std::optional<std::string> ask(const Query& query, Patience& patience) {
  const std::vector<char*> argv = pointers_into(query.argv);
  const std::vector<char*> environment = pointers_into(query.environment);
  capture::Ends ends = capture::make_pipe();
  const pid_t self = ::getpid();
  const pid_t pid = capture::split();
  if (pid == 0) {
    become(query.directory.c_str(), const_cast<char**>(argv.data()),
           const_cast<char**>(environment.data()), ends.write.get(), self);
  }
  ends.write.reset();
  std::string out;
  const bool is_whole = read_all(ends.read.get(), query.longest, patience, out);
  if (!is_whole) {
    (void)::kill(-pid, SIGKILL);  // what it has started, if it has reached its own session
    (void)::kill(pid, SIGKILL);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return is_whole && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? std::optional{std::move(out)}
                                                                   : std::nullopt;
}

}  // namespace onelane::multicall::coalesce
