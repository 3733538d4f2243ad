#include "core/lane/gate_holder.hpp"

#include <fcntl.h>

#include <ctime>

#include "core/sys/clock.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::lane {
namespace {

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
