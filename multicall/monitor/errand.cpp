#include "multicall/monitor/errand.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <exception>

#include "core/lane/admin.hpp"
#include "core/sys/error.hpp"
#include "multicall/view/find_ticket.hpp"

namespace onelane::multicall::monitor {
namespace {

/// In the child: standard output and error go into the pipe, standard input is empty, and signals
/// are as the monitor inherited them.
void detach(int pipe, const process::Signals& signals) {
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  (void)::dup2(nothing, 0);
  (void)::dup2(pipe, 1);
  (void)::dup2(pipe, 2);
  (void)::setpgid(0, 0);
  signals.restore();
  (void)::signal(SIGPIPE, SIG_IGN);  // the monitor may be gone
}

[[noreturn]] void work(const Order& order, const LanesHere& lanes) noexcept {
  std::string said;
  try {
    said = carry_out(order, lanes);
  } catch (const std::exception& failure) {
    said = failure.what();
  }
  (void)sys::write_all(1, said + "\n");
  ::_exit(0);
}

}  // namespace

std::string carry_out(const Order& order, const LanesHere& lanes) {
  const LanesHere now = lanes_of(lanes.project, lanes.settings);
  if (order.kind == Order::Kind::Hold || order.kind == Order::Kind::Release) {
    const bool hold = order.kind == Order::Kind::Hold;
    for (const std::string& directory : lane_directories(now)) {
      (void)lane::set_held(open_lane(now.project, directory), hold);
    }
    return hold ? "the lane is on hold" : "the lane is released";
  }
  const auto found = find_ticket(now, order.ticket);
  if (!found) {
    return order.ticket + " is gone";
  }
  const bool is_bump = order.kind == Order::Kind::Bump;
  const bool is_done =
      is_bump ? lane::bump(open_writable(*found), order.ticket) : cancel_ticket(*found);
  return !is_done  ? order.ticket + " no longer waits"
         : is_bump ? order.ticket + " goes before all other waiting calls"
                   : "cancelled " + order.ticket;
}

Errand::Errand(const Order& order, const LanesHere& lanes, const process::Signals& signals) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    sys::throw_errno("make", "a pipe");
  }
  pipe_ = sys::lift(ends[0]);
  const auto write_end = sys::lift(ends[1]);
  const std::array<const char*, 5> stop{"onelane", "stop", order.ticket.c_str(), "--yes", nullptr};
  child_ = ::fork();
  if (child_ < 0) {
    sys::throw_errno("fork", "a child");
  }
  if (child_ == 0) {
    detach(write_end.get(), signals);
    if (order.kind != Order::Kind::EndRun) {
      work(order, lanes);
    }
    ::execv("/proc/self/exe", const_cast<char* const*>(stop.data()));  // NOLINT: execv(3)
    ::_exit(127);
  }
  (void)::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
}

std::optional<std::string> Errand::collect() {
  std::array<char, 4096> chunk{};
  for (;;) {
    const ssize_t got = ::read(pipe_.get(), chunk.data(), chunk.size());
    if (got > 0) {
      said_.append(chunk.data(), static_cast<std::size_t>(got));
      continue;
    }
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0 && errno == EAGAIN) {
      return std::nullopt;
    }
    break;
  }
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  while (said_.ends_with('\n')) {
    said_.pop_back();
  }
  return said_.substr(said_.rfind('\n') + 1);
}

}  // namespace onelane::multicall::monitor
