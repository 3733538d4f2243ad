#include "core/process/launch.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/process/v2/posix/default_launcher.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace onelane::process {
namespace {

namespace v2 = boost::process::v2;

/// Failures are ignored: a tool that runs at the caller's priority is better than none.
/// Async-signal-safe.
void apply(const Scheduling& scheduling) noexcept {
  if (scheduling.nice != 0) {
    (void)!::nice(scheduling.nice);
  }
  if (scheduling.io_priority >= 0) {
    constexpr int kProcess = 1;  // IOPRIO_WHO_PROCESS, ioprio_set(2)
    ::syscall(SYS_ioprio_set, kProcess, 0, scheduling.io_priority);
  }
  if (scheduling.affinity != nullptr) {
    ::sched_setaffinity(0, sizeof(cpu_set_t), scheduling.affinity);
  }
}

/// dup2(2) clears close-on-exec. Async-signal-safe.
void redirect(const std::array<int, 2>& output) noexcept {
  for (int i = 0; i < 2; ++i) {
    if (output[static_cast<std::size_t>(i)] >= 0) {
      ::dup2(output[static_cast<std::size_t>(i)], i + 1);
    }
  }
}

/// Prepares the child between clone and exec; async-signal-safe.
struct ChildSetup {
  const Signals* signals;
  const Command* command;
  ChildEnvironment* environment;
  pid_t supervisor;

  template <class Launcher>
  boost::system::error_code on_exec_setup(Launcher& /*launcher*/,
                                          const v2::filesystem::path& /*executable*/,
                                          const char* const*(&/*argv*/)) const noexcept {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    // Compared with the pid we had, not with 1: a subreaper above us may adopt the child
    // (prctl(2)).
    if (::getppid() != supervisor) {
      ::_exit(125);
    }
    environment->name_self();  // our memory is the supervisor's, which no longer reads it
    redirect(command->output);
    apply(command->scheduling);
    signals->restore();
    return {};
  }
};

/// Differs from Boost's default launcher: the child borrows our memory until its exec (CLONE_VM |
/// CLONE_VFORK, like posix_spawn(3)), so that it costs no page tables and its errno needs no pipe;
/// no descriptor is closed; a failed exec leaves by _exit. It takes no executor and returns the pid
/// alone, since the wait loop is ours: stops, continues and other children included. A
/// basic_process would make a reactor first, with four descriptors, only to be detached.
class TransparentLauncher : public v2::posix::default_launcher {
 public:
  int exec_error = 0;

  template <class Args, class... Inits>
  pid_t operator()(const v2::filesystem::path& executable, Args&& argv, Inits&&... inits) {
    struct Frame {
      TransparentLauncher* self;
      const v2::filesystem::path* executable;
      const char* const* argv;
      std::tuple<std::decay_t<Inits>...> inits;
    } frame{this, &executable, argv, {inits...}};
    alignas(16) static std::array<std::byte, std::size_t{64} * 1024> stack;
    pid = ::clone(
        [](void* data) -> int {
          Frame& at = *static_cast<Frame*>(data);
          std::apply(
              [&](auto&... init) {
                v2::posix::detail::on_exec_setup(*at.self, *at.executable, at.argv, init...);
              },
              at.inits);
          ::execve(at.executable->c_str(), const_cast<char* const*>(at.argv),
                   const_cast<char* const*>(at.self->env));
          at.self->exec_error = errno;
          ::_exit(127);
        },
        stack.data() + stack.size(), CLONE_VM | CLONE_VFORK | SIGCHLD, &frame);
    if (pid < 0) {
      exec_error = errno;
    }
    return pid;
  }
};

constexpr std::array<std::string_view, 3> kPids{"LISTEN_PID", "WATCHDOG_PID", "SYSTEMD_EXEC_PID"};
constexpr std::size_t kNone = kPids.size();
/// Holds the inode of a pidfd of the process that LISTEN_PID names.
constexpr std::string_view kPidfd = "LISTEN_PIDFDID";

bool is_named(std::string_view entry, std::string_view name) noexcept {
  return entry.starts_with(name) && entry.size() > name.size() && entry[name.size()] == '=';
}

/// Index in kPids of the variable that `entry` sets to `pid`; else kNone.
std::size_t index_of(const char* entry, pid_t pid) noexcept {
  for (std::size_t i = 0; i < kPids.size(); ++i) {
    if (is_named(entry, kPids[i])) {
      return std::strtol(entry + kPids[i].size() + 1, nullptr, 10) == pid ? i : kNone;
    }
  }
  return kNone;
}

/// 0 when the kernel has no pidfds.
std::uint64_t own_pidfd_inode() noexcept {
  const int self = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
  struct stat info {};
  const bool known = self >= 0 && ::fstat(self, &info) == 0;
  if (self >= 0) {
    ::close(self);
  }
  return known ? info.st_ino : 0;
}

}  // namespace

Launched launch(const Command& command, const Signals& signals) {
  TransparentLauncher launcher;
  ChildEnvironment environment{command.environment};
  launcher.env = environment.data();
  const pid_t pid = launcher(command.path, command.argv,
                             ChildSetup{&signals, &command, &environment, ::getpid()});
  return {pid, launcher.exec_error};
}

ChildEnvironment::Number::Number(std::string_view name) noexcept : length_{name.size() + 1} {
  std::memcpy(text_.data(), name.data(), name.size());
  text_[name.size()] = '=';
}

void ChildEnvironment::Number::set(std::uint64_t number) noexcept {
  std::array<char, 20> digits{};
  std::size_t count = 0;
  do {
    digits[count++] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  std::reverse_copy(digits.data(), digits.data() + count, text_.data() + length_);
  text_[length_ + count] = '\0';
}

ChildEnvironment::ChildEnvironment(const char* const* environment)
    : environment_{environment}, pidfd_{kPidfd} {
  const pid_t self = ::getpid();
  bool names_us = false;
  for (const char* const* entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
    const std::size_t index = index_of(*entry, self);
    names_us = names_us || index != kNone;
    listens_ = listens_ || index == 0;
  }
  if (!names_us) {
    return;
  }
  for (const std::string_view name : kPids) {
    pids_.emplace_back(name);
  }
  for (const char* const* entry = environment; *entry != nullptr; ++entry) {
    copy_.push_back(replacement_of(*entry));
  }
  copy_.push_back(nullptr);
  environment_ = copy_.data();
}

const char* ChildEnvironment::replacement_of(const char* entry) const noexcept {
  const std::size_t index = index_of(entry, ::getpid());
  if (index != kNone) {
    return pids_[index].text();
  }
  return listens_ && is_named(entry, kPidfd) ? pidfd_.text() : entry;
}

void ChildEnvironment::name_self() noexcept {
  if (copy_.empty()) {
    return;
  }
  for (Number& pid : pids_) {
    pid.set(static_cast<std::uint64_t>(::getpid()));
  }
  if (listens_) {
    pidfd_.set(own_pidfd_inode());
  }
}

void take_names_of(pid_t before) {
  const std::string self = std::to_string(::getpid());
  for (const std::string_view name : kPids) {
    const std::string key{name};
    const char* value = std::getenv(key.c_str());
    if (value == nullptr || std::strtol(value, nullptr, 10) != before) {
      continue;
    }
    ::setenv(key.c_str(), self.c_str(), 1);
    if (name == kPids[0] && std::getenv(std::string{kPidfd}.c_str()) != nullptr) {
      ::setenv(std::string{kPidfd}.c_str(), std::to_string(own_pidfd_inode()).c_str(), 1);
    }
  }
}

}  // namespace onelane::process
