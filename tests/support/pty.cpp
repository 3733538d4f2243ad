#include "tests/support/pty.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace onelane::test {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kPrompt = "@lane-prompt@ ";

std::vector<std::string> shell_command(Shell::Kind kind) {
  switch (kind) {
    case Shell::Kind::Bash:
      return {"bash", "--norc", "--noprofile", "--noediting", "-i"};
    case Shell::Kind::Dash:
      return {"dash", "-i"};
    case Shell::Kind::Zsh:
      // No line editor: it would switch the terminal modes and redraw. Jobs are reported only
      // before a prompt, as in the other shells: `wait %1` must find a job that has ended.
      return {"zsh",          "-f", "+Z",           "-i", "-o",
              "NO_PROMPT_SP", "-o", "NO_PROMPT_CR", "-o", "NO_NOTIFY"};
  }
  throw std::logic_error{"no such shell"};
}

std::vector<std::string> with_prompt(std::vector<std::string> environment) {
  environment.push_back("PS1=" + std::string{kPrompt});
  environment.push_back("PS2=");
  environment.push_back("HISTFILE=/dev/null");
  return environment;
}

/// Reads /proc/PID/syscall (proc(5)), whose first word is the number of the system call.
bool sleeps_in_wait(pid_t pid) {
  std::ifstream file{"/proc/" + std::to_string(pid) + "/syscall"};
  long number = -1;
  file >> number;
  return number == SYS_wait4 || number == SYS_rt_sigsuspend || number == SYS_waitid;
}

void become_leader_of(int slave) {
  ::setsid();
  ::ioctl(slave, TIOCSCTTY, 0);
  for (int fd = 0; fd < 3; ++fd) {
    ::dup2(slave, fd);
  }
}

}  // namespace

const char* name_of(Shell::Kind kind) {
  switch (kind) {
    case Shell::Kind::Bash:
      return "Bash";
    case Shell::Kind::Dash:
      return "Dash";
    case Shell::Kind::Zsh:
      return "Zsh";
  }
  return "?";
}

Terminal::Terminal(const std::vector<std::string>& argv,
                   const std::vector<std::string>& environment, const std::string& directory) {
  int slave = -1;
  const winsize size{24, 80, 0, 0};
  if (::openpty(&master_, &slave, nullptr, nullptr, &size) != 0) {
    throw std::runtime_error{"openpty"};
  }
  ::fcntl(master_, F_SETFD, FD_CLOEXEC);
  ::fcntl(slave, F_SETFD, FD_CLOEXEC);
  ::fcntl(master_, F_SETFL, O_NONBLOCK);
  termios modes{};
  ::tcgetattr(slave, &modes);
  modes.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  ::tcsetattr(slave, TCSANOW, &modes);
  Start options;
  options.standard_input = Stream::Inherited;
  options.standard_output = Stream::Inherited;
  options.standard_error = Stream::Inherited;
  options.directory = directory;
  options.before_exec = [slave] { become_leader_of(slave); };
  pid_ = start_program(argv, environment, options).release();
  ::close(slave);
}

Terminal::~Terminal() {
  hang_up();
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

void Terminal::send(std::string_view text) const {
  if (::write(master_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error{"the terminal takes no input"};
  }
}

void Terminal::resize(unsigned short rows, unsigned short columns) const {
  const winsize size{rows, columns, 0, 0};
  ::ioctl(master_, TIOCSWINSZ, &size);
}

pid_t Terminal::foreground() const {
  pid_t group = -1;
  return ::ioctl(master_, TIOCGPGRP, &group) == 0 ? group : -1;
}

void Terminal::read_more() {
  std::array<char, 4096> buffer{};
  ssize_t got = 0;
  while ((got = ::read(master_, buffer.data(), buffer.size())) > 0) {
    pending_.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

std::string Terminal::expect(std::string_view text, milliseconds limit) {
  std::size_t at = std::string::npos;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while ((at = pending_.find(text)) == std::string::npos) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error{"never on the terminal: '" + std::string{text} + "'; there is: '" +
                               pending_ + "'"};
    }
    pollfd polled{master_, POLLIN, 0};
    (void)::poll(&polled, 1, 20);
    read_more();
  }
  std::string before = pending_.substr(0, at);
  pending_.erase(0, at + text.size());
  return before;
}

void Terminal::hang_up() {
  if (master_ >= 0) {
    ::close(std::exchange(master_, -1));
  }
}

int Terminal::wait(milliseconds limit) {
  int status = 0;
  const bool ended = eventually(
      [&] {
        if (master_ >= 0) {
          read_more();  // otherwise a writer would block for lack of a reader
        }
        return ::waitpid(pid_, &status, WNOHANG) == pid_;
      },
      limit);
  if (!ended) {
    throw std::runtime_error{"the session leader is still running; there is: '" + pending_ + "'"};
  }
  pid_ = -1;
  return status;
}

Shell::Shell(Kind kind, std::vector<std::string> environment, const std::string& directory)
    : terminal_{shell_command(kind), with_prompt(std::move(environment)), directory} {
  wait_for_prompt();
}

std::string Shell::wait_for_prompt() {
  return terminal_.expect(kPrompt);
}

std::string Shell::command(const std::string& line) {
  type(line);
  return wait_for_prompt();
}

void Shell::start_waiting() {
  type("wait %1");
  eventually([this] { return sleeps_in_wait(terminal_.leader()); }, milliseconds{500});
}

int Shell::last_status() {
  // Numbered, so that a late prompt or an earlier answer cannot be mistaken for this one.
  const std::string mark = "answer-" + std::to_string(++questions_) + "=";
  type("echo " + mark + "$?.");
  terminal_.expect(mark);
  const int status = std::stoi(terminal_.expect("."));
  wait_for_prompt();
  return status;
}

}  // namespace onelane::test
