#include "multicall/queue/child.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <string_view>
#include <vector>

#include "core/process/launch.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/ending_signal.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/context/call.hpp"
#include "multicall/queue/queue_view.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kWithoutWatch{1'000};
constexpr milliseconds kLongestPoll{3'600'000};

std::vector<std::string> words_to_start(const queue::Entry& entry) {
  std::vector<std::string> words{"onelane", "run"};
  const auto options = run_options_of(entry);
  words.insert(words.end(), options.begin(), options.end());
  words.emplace_back("--");
  words.insert(words.end(), entry.argv.begin(), entry.argv.end());
  return words;
}

/// Null-terminated; what it points to may be written to, but is not made longer.
std::vector<char*> pointers_to(std::vector<std::string>& list) {
  std::vector<char*> out;
  std::ranges::transform(list, std::back_inserter(out),
                         [](std::string& text) { return text.data(); });
  out.push_back(nullptr);
  return out;
}

/// These belong to one process: the shell sets its own again, a jobserver's descriptors are closed
/// by then, and onelane's say which run this process is a part of.
constexpr auto kOfAProcess = std::to_array<std::string_view>(
    {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "OLDPWD", "ONELANE_AT", "ONELANE_BATCH", "ONELANE_LABEL",
     "ONELANE_QUEUE_START", "PWD", "SHLVL", "_"});
static_assert(std::ranges::is_sorted(kOfAProcess));

constexpr auto kOfAPlace = std::to_array<std::string_view>({"COLORTERM",
                                                            "COLUMNS",
                                                            "DBUS_SESSION_BUS_ADDRESS",
                                                            "DISPLAY",
                                                            "GITHUB_ENV",
                                                            "GITHUB_OUTPUT",
                                                            "GITHUB_PATH",
                                                            "GITHUB_STATE",
                                                            "GITHUB_STEP_SUMMARY",
                                                            "GPG_TTY",
                                                            "INVOCATION_ID",
                                                            "JOURNAL_STREAM",
                                                            "LINES",
                                                            "ONELANE_HELD",
                                                            "SEQUENTIAL_EXECUTOR_PID",
                                                            "SSH_AGENT_PID",
                                                            "SSH_AUTH_SOCK",
                                                            "SSH_TTY",
                                                            "STY",
                                                            "TERM",
                                                            "TMUX",
                                                            "TMUX_PANE",
                                                            "WAYLAND_DISPLAY",
                                                            "WINDOWID",
                                                            "XAUTHORITY",
                                                            "XDG_RUNTIME_DIR",
                                                            "XDG_SESSION_ID"});
static_assert(std::ranges::is_sorted(kOfAPlace));

std::string time_zone() {
  const char* zone = std::getenv("TZ");
  return zone == nullptr ? std::string{} : zone;
}

std::string_view variable_name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

bool belongs_to_a_process(std::string_view variable) {
  return std::ranges::binary_search(kOfAProcess, variable_name_of(variable));
}

bool belongs_to_a_place(std::string_view variable) {
  return std::ranges::binary_search(kOfAPlace, variable_name_of(variable));
}

}  // namespace

QueueChild::QueueChild(CommandMain command, std::optional<nanoseconds> deadline,
                       nanoseconds patience)
    : command_{command}, deadline_{deadline}, patience_{patience}, parent_{::getppid()} {
  canary_.start();
}

std::optional<int> QueueChild::run(const queue::Entry& entry, const std::string& queue_start,
                                   const Chore& chore) {
  if (::chdir(entry.cwd.c_str()) != 0) {
    return std::nullopt;
  }
  const pid_t starter = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    become_run(entry, queue_start, starter);
  }
  if (pid_ < 0) {
    return std::nullopt;
  }
  auto due = chore.due;
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) != pid_) {
    const auto now = sys::monotonic_time();
    if (due && *due <= now) {
      due.reset();
      chore.act();
      continue;
    }
    poll_until(-1, due ? std::optional{std::chrono::ceil<milliseconds>(*due - now)} : std::nullopt);
  }
  pid_ = -1;
  held_.clear();
  answer_signals();  // signals that came with its end do not concern the next child
  return status;
}

/// The child's side: leaves nothing of ours that an execve(2) would not leave, and ends with the
/// command. The objects it was given stay as they are: nothing of them is destroyed here.
void QueueChild::become_run(const queue::Entry& entry, const std::string& queue_start,
                            pid_t starter) {
  // As process::launch() does: the run ends with us.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != starter) {
    ::_exit(kExitFailed);
  }
  int code = kExitFailed;
  try {
    auto words = words_to_start(entry);
    auto environment = environment_to_start(entry, queue_start);
    auto argv = pointers_to(words);
    auto variables = pointers_to(environment);
    const std::string zone = time_zone();
    environ = variables.data();
    if (zone != time_zone()) {
      ::tzset();  // localtime_r(3) looks only once
    }
    process::take_names_of(starter);
    canary_.forget();  // it is a child of the starter
    sys::close_own_descriptors();
    signals_.restore();
    code = command_(static_cast<int>(words.size()), argv.data());
  } catch (const std::exception& failure) {
    say_always(failure.what());
  }
  ::_exit(code);
}

void QueueChild::idle(int watch) {
  poll_until(watch, watch < 0 ? std::optional{kWithoutWatch} : std::nullopt);
}

void QueueChild::poll_until(int watch, std::optional<milliseconds> at_most) {
  milliseconds limit = at_most.value_or(kLongestPoll);
  if (deadline_) {
    const auto left = std::chrono::ceil<milliseconds>(*deadline_ - sys::monotonic_time());
    limit = std::clamp(left, milliseconds{0}, limit);
  }
  limit = held_.until_look(sys::monotonic_time(), limit);
  pollfd polled[]{{signals_.fd(), POLLIN, 0}, {watch, POLLIN, 0}};
  (void)::poll(polled, 2, static_cast<int>(limit.count()));
  answer_signals();
  look_at_held();
  look_at_the_clock();
}

void QueueChild::answer_signals() {
  process::Signals::Arrived arrived;
  while (signals_.next_noticed(arrived)) {
    if (arrived.signal != SIGCHLD) {
      answer(arrived);
    }
  }
}

void QueueChild::answer(const process::Signals::Arrived& arrived) {
  const int signal = arrived.signal;
  held_.outdate(signal);
  const bool went_to_group = canary_.has_seen(signal);
  if (went_to_group) {
    canary_.renew();
    canary_.drop_previous();
  }
  // The kernel sends INT, QUIT and TSTP to the terminal's whole foreground group.
  if (pid_ > 0 && !went_to_group && !arrived.from_kernel) {
    if (process::knows_no_tree(arrived, parent_)) {
      (void)::kill(pid_, signal);
    } else {
      held_.hold(signal, sys::monotonic_time());
    }
  }
  if (sys::is_ending_signal(signal)) {
    signal_ = signal;
  } else if (signal == SIGTSTP) {
    (void)process::stop_self(signal);
  }
}

void QueueChild::look_at_held() {
  for (const int signal : process::look_and_take_due(held_, canary_)) {
    if (pid_ > 0) {
      (void)::kill(pid_, signal);
    }
  }
}

void QueueChild::look_at_the_clock() {
  if (!deadline_ || sys::monotonic_time() < *deadline_) {
    return;
  }
  if (pid_ > 0) {
    const sys::FileDescriptor pidfd =
        sys::lift(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    // At the second time the child did not end when it was told to.
    (void)(is_timed_out_ ? ::kill(pid_, SIGKILL)
                         : process::order_stop(pidfd.get(), process::StopCause::TimeIsOver));
  }
  deadline_ = is_timed_out_ ? std::nullopt : std::optional{sys::monotonic_time() + patience_};
  is_timed_out_ = true;
}

queue::Environment environment_to_keep() {
  queue::Environment out;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    if (!belongs_to_a_process(*variable) && !belongs_to_a_place(*variable)) {
      out.emplace_back(*variable);
    }
  }
  std::ranges::sort(out);  // equal environments, as of one shell, are stored once
  return out;
}

queue::Environment environment_to_start(const queue::Entry& entry, const std::string& queue_start) {
  queue::Environment out;
  if (entry.environment) {
    out = *entry.environment;
  }
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    if (belongs_to_a_place(*variable)) {
      out.emplace_back(*variable);
    }
  }
  out.push_back("PWD=" + entry.cwd);
  out.push_back("ONELANE_QUEUE_START=" + queue_start);
  if (!entry.label.empty()) {
    out.push_back("ONELANE_LABEL=" + entry.label);
  }
  return out;
}

}  // namespace onelane::multicall
