#include "core/process/ask.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::process {
namespace {

constexpr std::size_t kPipe = std::size_t{64} << 10U;
constexpr int kCannotStart = 127;

std::vector<std::string> environment_of(const Question& question) {
  std::vector<std::string> list;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view entry{*at};
    const std::string_view name = entry.substr(0, entry.find('='));
    if (std::ranges::none_of(question.environment,
                             [&](const auto& change) { return change.first == name; })) {
      list.emplace_back(entry);
    }
  }
  for (const auto& [name, value] : question.environment) {
    if (value) {
      list.push_back(name + "=" + *value);
    }
  }
  return list;
}

std::vector<char*> pointers_to(std::vector<std::string>& list) {
  std::vector<char*> pointers;
  for (std::string& text : list) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

/// After fork: must not allocate or throw.
[[noreturn]] void become(const char* directory, char** argv, char** environment, int out) {
  ::setsid();
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0 && ::dup2(null, 0) >= 0 && ::dup2(null, 2) >= 0 && ::dup2(out, 1) >= 0 &&
      ::chdir(directory) == 0) {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(argv[0], argv, environment);
  }
  ::_exit(kCannotStart);
}

/// True at the end of the stream. Takes what a pipe holds and no more (pipe(7)), so a program that
/// never stops writing cannot keep us from the deadline.
bool drain(int fd, std::size_t longest, std::string& into) {
  std::array<char, 4096> chunk;
  for (std::size_t taken = 0; taken < kPipe; taken += chunk.size()) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got <= 0) {
      return got == 0 || (errno != EAGAIN && errno != EINTR);
    }
    into.append(chunk.data(), std::min(static_cast<std::size_t>(got), longest - into.size()));
  }
  return false;
}

/// Reads until the program has ended; false when the limit came first.
bool listen(pid_t pid, int fd, const Question& question, Answer& answer, int& status) {
  constexpr std::chrono::milliseconds kWithoutPidfd{10};
  const auto deadline = sys::monotonic_time() + question.limit;
  const sys::FileDescriptor process =
      sys::lift(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  bool is_open = true;
  for (;;) {
    // Checked before the stream is read, so that everything written before its end is read.
    const bool ended = ::waitpid(pid, &status, WNOHANG) != 0;
    if (is_open) {
      is_open = !drain(fd, question.longest, answer.out);
    }
    if (ended) {
      return true;
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - sys::monotonic_time());
    if (left.count() <= 0) {
      return false;
    }
    pollfd polled[2] = {{is_open ? fd : -1, POLLIN, 0}, {process.get(), POLLIN, 0}};
    const auto limit = process.is_open() ? left : std::min(left, kWithoutPidfd);
    (void)::poll(polled, 2, static_cast<int>(std::min<std::int64_t>(limit.count(), 60'000)));
  }
}

}  // namespace

Answer ask(const Question& question) {
  std::vector<std::string> argv_text = question.argv;
  std::vector<std::string> environment_text = environment_of(question);
  std::vector<char*> argv = pointers_to(argv_text);
  std::vector<char*> environment = pointers_to(environment_text);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    sys::throw_errno("make", "a pipe");
  }
  const sys::FileDescriptor in = sys::lift(ends[0]);
  sys::FileDescriptor out = sys::lift(ends[1]);
  (void)::fcntl(in.get(), F_SETFL, O_NONBLOCK);
  const pid_t pid = ::fork();
  if (pid < 0) {
    sys::throw_errno("fork", "");
  }
  if (pid == 0) {
    become(question.directory.c_str(), argv.data(), environment.data(), out.get());
  }
  out.reset();
  Answer answer;
  int status = 0;
  if (!listen(pid, in.get(), question, answer, status)) {
    // The program makes its session itself: this is a group with its pid, or so far only the
    // process.
    (void)::kill(-pid, SIGKILL);
    (void)::kill(pid, SIGKILL);
    // A process stuck in the kernel stays our zombie until we end.
    Question last = question;
    last.limit = std::chrono::milliseconds{500};
    (void)listen(pid, in.get(), last, answer, status);
    answer.end = Answer::End::TimedOut;
    return answer;
  }
  answer.end = WIFEXITED(status) ? Answer::End::Exited : Answer::End::Signalled;
  answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  return answer;
}

}  // namespace onelane::process
