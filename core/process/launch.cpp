#include "core/process/launch.hpp"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/process.hpp>
#include <cerrno>

#include "core/process/child_environment.hpp"

namespace onelane::process {
namespace {

namespace asio = boost::asio;
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
/// no descriptor is closed; a failed exec leaves by _exit.
class TransparentLauncher : public v2::posix::default_launcher {
 public:
  int exec_error = 0;

  template <class Executor, class Args, class... Inits>
  v2::basic_process<Executor> operator()(Executor executor, const v2::filesystem::path& executable,
                                         Args&& argv, Inits&&... inits) {
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
      return v2::basic_process<Executor>{executor};
    }
    return v2::basic_process<Executor>{executor, pid};
  }
};

}  // namespace

Launched launch(const Command& command, const Signals& signals) {
  TransparentLauncher launcher;
  ChildEnvironment environment{command.environment};
  launcher.env = environment.data();
  asio::io_context context{1};
  auto process = launcher(context.get_executor(), command.path, command.argv,
                          ChildSetup{&signals, &command, &environment, ::getpid()});
  process.detach();  // the wait loop is ours: stops, continues and other children included
  return {launcher.exec_error != 0 && launcher.pid < 0 ? -1 : launcher.pid, launcher.exec_error};
}

}  // namespace onelane::process
