#include "tests/support/running.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "core/sys/process.hpp"

namespace onelane::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// The two ends of one captured stream; ours is close-on-exec and has a high number.
struct Ends {
  int ours = -1;
  int theirs = -1;
};

Ends make_ends(Stream stream) {
  int fds[2] = {-1, -1};
  if (stream == Stream::Captured && ::pipe2(fds, O_CLOEXEC) != 0) {
    throw std::runtime_error{"pipe2"};
  }
  if (stream == Stream::SocketPair &&
      ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    throw std::runtime_error{"socketpair"};
  }
  if (stream == Stream::Null) {
    fds[1] = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  }
  return {fds[0], fds[1]};
}

void put(int target, Stream stream, int theirs) {
  if (stream == Stream::Closed) {
    ::close(target);
  } else if (stream != Stream::Inherited) {
    ::dup2(theirs, target);
  }
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) {
    pointers.push_back(const_cast<char*>(word.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

/// A test runner may have changed them; programs must start as from a plain shell.
void reset_signals() {
  for (int signal = 1; signal < 32; ++signal) {
    ::signal(signal, SIG_DFL);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Needed because execvp would search our own PATH, not the sandbox's.
std::string find_program(const std::string& name, const std::vector<std::string>& environment) {
  if (name.find('/') != std::string::npos) {
    return name;
  }
  for (const std::string& entry : environment) {
    if (!entry.starts_with("PATH=")) {
      continue;
    }
    for (std::size_t at = 5; at <= entry.size();) {
      const std::size_t end = std::min(entry.find(':', at), entry.size());
      std::string candidate = entry.substr(at, end - at) + "/" + name;
      if (::access(candidate.c_str(), X_OK) == 0) {
        return candidate;
      }
      at = end + 1;
    }
  }
  throw std::runtime_error{"no program " + name + " on the sandbox's PATH"};
}

}  // namespace

bool Ended::exited_with(int code) const {
  return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == code;
}

bool Ended::died_of(int signal) const {
  return WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == signal;
}

std::string describe_status(int wait_status) {
  if (WIFEXITED(wait_status)) {
    return "exit " + std::to_string(WEXITSTATUS(wait_status));
  }
  return "signal " + std::to_string(WTERMSIG(wait_status));
}

Running::Running(pid_t pid, int out, int err)
    : pid_{pid}, out_{out}, err_{err}, started_{steady_clock::now()} {}

Running::Running(Running&& other) noexcept
    : pid_{std::exchange(other.pid_, -1)},
      out_{std::exchange(other.out_, -1)},
      err_{std::exchange(other.err_, -1)},
      out_text_{std::move(other.out_text_)},
      err_text_{std::move(other.err_text_)},
      started_{other.started_} {}

Running::~Running() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::kill(pid_, SIGCONT);
    ::waitpid(pid_, nullptr, 0);
  }
  for (const int fd : {out_, err_}) {
    if (fd >= 0) {
      ::close(fd);
    }
  }
}

pid_t Running::release() {
  return std::exchange(pid_, -1);
}

void Running::signal(int signal) const {
  ::kill(pid_, signal);
}

bool Running::is_running() const {
  return pid_ > 0 && is_alive(pid_);
}

void Running::drain(int& fd, std::string& into) {
  std::array<char, 65536> buffer{};
  while (fd >= 0) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got > 0) {
      into.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (got == 0) {
      ::close(std::exchange(fd, -1));
    } else if (errno != EINTR) {
      return;
    }
  }
}

Ended Running::wait(milliseconds limit) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  const auto deadline = steady_clock::now() + limit;
  for (bool ended = false; !ended;) {
    std::array<pollfd, 3> polled{{{pidfd, POLLIN, 0}, {out_, POLLIN, 0}, {err_, POLLIN, 0}}};
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) {
      ::close(pidfd);
      throw std::runtime_error{"still running after its time: " + sys::command_line(pid_) +
                               "\nout: " + out_text_ + "\nerr: " + err_text_};
    }
    (void)::poll(polled.data(), polled.size(), static_cast<int>(left.count()));
    ended = polled[0].revents != 0;
    drain(out_, out_text_);
    drain(err_, err_text_);
  }
  ::close(pidfd);
  Ended result;
  ::waitpid(std::exchange(pid_, -1), &result.wait_status, 0);
  result.took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - started_);
  drain(out_, out_text_);
  drain(err_, err_text_);
  result.out = out_text_;
  result.err = err_text_;
  return result;
}

bool Running::output_closes(milliseconds limit) {
  return eventually(
      [this] {
        drain(out_, out_text_);
        return out_ < 0;
      },
      limit);
}

Running start_program(const std::vector<std::string>& argv,
                      const std::vector<std::string>& environment, const Start& options) {
  const Ends in =
      make_ends(options.standard_input == Stream::Captured ? Stream::Null : options.standard_input);
  const Ends out = make_ends(options.standard_output);
  const Ends err = make_ends(options.standard_error);
  const std::string program = find_program(argv.front(), environment);
  const auto arguments = pointers(argv);
  const auto variables = pointers(environment);
  const pid_t pid = ::fork();
  if (pid == 0) {
    reset_signals();
    // Descriptors left open by a test runner must not reach the program.
    ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    put(0, options.standard_input, in.theirs);
    put(1, options.standard_output, out.theirs);
    put(2, options.standard_error, err.theirs);
    if (options.new_session) {
      ::setsid();
    }
    if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) {
      ::_exit(126);
    }
    if (options.before_exec) {
      options.before_exec();
    }
    ::execve(program.c_str(), arguments.data(), variables.data());
    ::_exit(127);
  }
  for (const int fd : {in.theirs, in.ours, out.theirs, err.theirs}) {
    if (fd >= 0) {
      ::close(fd);
    }
  }
  for (const int fd : {out.ours, err.ours}) {
    if (fd >= 0) {
      ::fcntl(fd, F_SETFL, O_NONBLOCK);
    }
  }
  return {pid, out.ours, err.ours};
}

bool is_alive(pid_t pid) {
  const auto stat = sys::read_stat(pid);
  return stat && !stat->has_ended() && !stat->is_exiting;
}

bool eventually(const std::function<bool()>& condition, milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  while (!condition()) {
    if (steady_clock::now() >= deadline) {
      return false;
    }
    std::this_thread::sleep_for(milliseconds{2});
  }
  return true;
}

}  // namespace onelane::test
