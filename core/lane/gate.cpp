#include "core/lane/gate.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/interprocess/detail/os_thread_functions.hpp>
#include <cerrno>
#include <utility>

/// Boost counts the processors before main(), from a file in /sys, for a kind of wait never used
/// here. A shim call has no time for that, so this counts them only on request.
namespace boost::interprocess::ipcdetail {
template <int>
class num_core_holder;
template <>
class num_core_holder<0> {
 public:
  static unsigned get() { return get_num_cores(); }
};
}  // namespace boost::interprocess::ipcdetail

#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/sync/file_lock.hpp>
#include <ctime>

#include "core/sys/clock.hpp"
#include "core/sys/ending_signal.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::lane {
namespace {

using boost::interprocess::file_lock;

/// Opens the gate file, making it like the lane file: same mode, same group. Never makes one next
/// to a lane file that is gone: a process removing the directory would find a new file in it.
file_lock open_gate(const Table& table) {
  const std::string path = table.gate_path();
  try {
    return file_lock{path.c_str()};
  } catch (const boost::interprocess::interprocess_exception& failure) {
    if (!table.is_current()) {
      throw sys::SystemError{failure.get_native_error(), "open", path};
    }
    struct stat lane {};
    if (::fstat(table.fd(), &lane) != 0) {
      sys::throw_errno("stat", table.path());
    }
    (void)open_shared(path, table.directory(), lane.st_mode & 0666U);
  }
  try {
    return file_lock{path.c_str()};
  } catch (const boost::interprocess::interprocess_exception& failure) {
    throw sys::SystemError{failure.get_native_error(), "open", path};
  }
}

bool ending_signal_pending() noexcept {
  sigset_t pending;
  ::sigpending(&pending);
  const auto ends_us = [&](int signal) {
    struct sigaction action {};
    return ::sigismember(&pending, signal) == 1 && ::sigaction(signal, nullptr, &action) == 0 &&
           action.sa_handler != SIG_IGN;
  };
  return std::ranges::any_of(sys::kEndingSignals, ends_us);
}

using std::chrono::milliseconds;

constexpr milliseconds kHeldAfter{250};
constexpr milliseconds kHeldUnseenAfter{2'000};
constexpr milliseconds kHeldRunningAfter{5'000};
constexpr milliseconds kLongestSearch{400};
constexpr long kBetweenLooks = 10'000'000;  // nanoseconds

/// Only cgroup v2 shows that a process is frozen: its state in /proc is that of a sleeping one.
bool is_frozen(pid_t pid) {
  const auto line =
      sys::read_small_file(("/proc/" + std::to_string(pid) + "/cgroup").c_str(), 1U << 14U);
  const std::size_t at = line ? line->find("0::/") : std::string::npos;
  if (at == std::string::npos || (at != 0 && (*line)[at - 1] != '\n')) {
    return false;
  }
  const std::string group = line->substr(at + 3, line->find('\n', at) - at - 3);
  const auto events =
      sys::read_small_file(("/sys/fs/cgroup" + group + "/cgroup.events").c_str(), 4096);
  return events && events->find("frozen 1") != std::string::npos;
}

std::optional<GateHolder> look(const Table& table) {
  const auto file =
      sys::try_open_file(table.gate_path().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  // A process's lock on the whole file, like the gate's; querying needs no write access.
  struct flock lock {};
  lock.l_type = F_WRLCK;
  if (!file.is_open() || ::fcntl(file.get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) {
    return std::nullopt;
  }
  GateHolder holder;
  holder.pid = std::max<pid_t>(lock.l_pid, 0);
  if (const auto stat = holder.pid > 0 ? sys::read_stat(holder.pid) : std::nullopt) {
    holder.is_runnable = stat->state == 'R';
    holder.is_stopped = stat->state == 'T' || stat->state == 't';
  }
  return holder;
}

}  // namespace

struct Gate::Impl {
  file_lock lock;
};

Gate::Gate(const Table& table) : impl_{std::make_unique<Impl>(Impl{open_gate(table)})} {}

Gate::Gate(const Table& table, Patience patience) : Gate{table} {
  (void)enter(table, patience, nullptr);
}

Gate::Gate(Gate&& other) noexcept = default;

std::optional<Gate> Gate::try_enter(const Table& table, Patience patience, GateLook& look) {
  Gate gate{table};
  return gate.enter(table, patience, &look) ? std::optional{std::move(gate)} : std::nullopt;
}

std::optional<Gate> Gate::try_enter(const Table& table, Patience patience) {
  GateLook look{table};
  return try_enter(table, patience, look);
}

bool Gate::enter(const Table& table, Patience patience, GateLook* look) {
  constexpr long kLongestPause = 10'000'000;  // nanoseconds
  long pause = 20'000;                        // about the length of one critical section
  try {
    while (!impl_->lock.try_lock()) {
      if (patience == Patience::UntilSignal && ending_signal_pending()) {
        throw GateInterrupted{};
      }
      // `look` closes the gate file before we can get in: closing it inside would drop our lock.
      if (look != nullptr && pause == kLongestPause && look->is_held()) {
        return false;
      }
      const timespec nap{0, pause};
      ::nanosleep(&nap, nullptr);
      pause = std::min(pause * 2, kLongestPause);
    }
  } catch (const boost::interprocess::interprocess_exception& failure) {
    throw sys::SystemError{failure.get_native_error(), "lock", table.gate_path()};
  }
  return true;
}

Gate::~Gate() {
  if (!impl_) {
    return;
  }
  try {
    impl_->lock.unlock();
  } catch (const boost::interprocess::interprocess_exception&) {
    // Closing the file, which comes next, frees the lock as well.
  }
}

Gate enter_or_name_holder(const Table& table) {
  GateLook look{table};
  auto gate = Gate::try_enter(table, Patience::Always, look);
  if (!gate) {
    throw sys::SystemError{EBUSY, "change",
                           "the lane, whose gate is held by " + words_of(*look.holder())};
  }
  return std::move(*gate);
}

std::string words_of(const GateHolder& holder) {
  if (holder.pid == 0) {
    return "a process of another container";
  }
  return sys::command_line(holder.pid, 80) + " (pid " + std::to_string(holder.pid) +
         (holder.is_stopped  ? ", stopped)"
          : holder.is_frozen ? ", frozen)"
                             : ")");
}

bool GateLook::is_held() {
  const auto now = sys::monotonic_time();
  const auto found = look(table_);
  const bool is_same =
      found && holder_ && found->pid == holder_->pid && found->is_runnable == holder_->is_runnable;
  holder_ = found;
  if (!is_same) {
    since_ = now;
    return false;
  }
  const milliseconds limit = holder_->is_runnable ? kHeldRunningAfter
                             : holder_->pid == 0  ? kHeldUnseenAfter
                                                  : kHeldAfter;
  if (now - since_ < limit) {
    return false;
  }
  holder_->is_frozen = holder_->pid > 0 && is_frozen(holder_->pid);
  return true;
}

std::optional<GateHolder> find_gate_holder(const Table& table) {
  GateLook look{table};
  const auto until = sys::monotonic_time() + kLongestSearch;
  while (!look.is_held()) {
    if (!look.holder() || sys::monotonic_time() > until) {
      return std::nullopt;
    }
    const timespec nap{0, kBetweenLooks};
    ::nanosleep(&nap, nullptr);
  }
  return look.holder();
}

}  // namespace onelane::lane
