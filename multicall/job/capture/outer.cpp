#include "multicall/job/capture/outer.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "core/sys/clock.hpp"
#include "core/sys/ending_signal.hpp"

namespace onelane::multicall::capture {
namespace {

bool is_ready(const pollfd& polled) noexcept {
  return polled.fd >= 0 && polled.revents != 0;
}

}  // namespace

Outer::Outer(pid_t run, const process::Signals& signals, process::Canary& canary,
             std::vector<Stream>& streams, Listener& listener, PtyBridge* pty)
    : run_{run},
      signals_{signals},
      streams_{streams},
      listener_{listener},
      pty_{pty},
      canary_{canary},
      parent_{::getppid()} {}

int Outer::pump() {
  if (pty_ != nullptr) {
    pty_->enter_raw();
  }
  while (!wait_status_) {
    step();
  }
  listener_.hear();
  drain();
  flush();
  if (pty_ != nullptr) {
    pty_->leave_raw();
  }
  canary_.end();
  return *wait_status_;
}

void Outer::step() {
  std::vector<pollfd> polled{{signals_.fd(), POLLIN, 0}, {listener_.fd(), POLLIN, 0}};
  polled.push_back({pty_ == nullptr ? -1 : pty_->source(), POLLIN, 0});
  polled.push_back({pty_ == nullptr ? -1 : pty_->target(), POLLOUT, 0});
  for (const Stream& stream : streams_) {
    polled.push_back({stream.source(), POLLIN, 0});
    polled.push_back({stream.target(), POLLOUT, 0});
  }
  const int ready = ::poll(polled.data(), polled.size(), longest_pause());
  look_at_held();
  if (ready < 0) {
    return;
  }
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (is_ready(polled[4 + 2 * i])) {
      streams_[i].read();
    }
    if (is_ready(polled[5 + 2 * i])) {
      streams_[i].write();
    }
    streams_[i].raise_sign_if_due();
  }
  if (is_ready(polled[1])) {
    listener_.hear();
  }
  const bool has_keys = is_ready(polled[2]) || is_ready(polled[3]);
  if (has_keys || is_ready(polled[0])) {
    read_signals();  // before the keys: a new size comes before what is typed in it
  }
  if (has_keys) {
    pty_->pass_keys();
  }
}

int Outer::longest_pause() const {
  int pause = -1;
  for (const Stream& stream : streams_) {
    if (const auto left = stream.until_sign()) {
      const auto ms = std::chrono::ceil<std::chrono::milliseconds>(*left).count();
      const int wanted = static_cast<int>(std::max<std::int64_t>(ms, 0));
      pause = pause < 0 ? wanted : std::min(pause, wanted);
    }
  }
  if (!held_.is_empty()) {
    const std::chrono::milliseconds longest{pause < 0 ? 1'000 : pause};
    pause = static_cast<int>(held_.until_look(sys::monotonic_time(), longest).count());
  }
  return pause;
}

void Outer::drain() noexcept {
  for (Stream& stream : streams_) {
    stream.drain();
  }
}

/// Waits for a slow reader, as the tool itself would have done.
void Outer::flush() {
  const auto has_more = [](const Stream& stream) { return stream.target() >= 0; };
  while (!was_interrupted_ && std::ranges::any_of(streams_, has_more)) {
    step();
  }
}

void Outer::read_signals() {
  process::Signals::Arrived arrived;
  while (signals_.next(arrived)) {
    if (arrived.signal == SIGCHLD || !signals_.is_ignored(arrived.signal)) {
      handle(arrived);
    }
  }
}

void Outer::handle(const process::Signals::Arrived& arrived) {
  const int signal = arrived.signal;
  if (signal == SIGCHLD) {
    look_after_run();
    return;
  }
  if (wait_status_) {
    was_interrupted_ = sys::is_ending_signal(signal);
    return;
  }
  held_.outdate(signal);
  if (pty_ != nullptr) {
    if (signal == SIGWINCH) {
      pty_->fit();  // the kernel then signals the pty's own group
    } else if (signal == SIGCONT) {
      pty_->enter_raw();
    } else if (signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU) {
      pass_on(arrived);
    }
    return;
  }
  pass_on(arrived);
}

void Outer::pass_on(const process::Signals::Arrived& arrived) {
  const bool went_to_group = canary_.has_seen(arrived.signal);
  if (went_to_group) {
    canary_.renew();
    canary_.drop_previous();
  }
  if (went_to_group && pty_ == nullptr) {
    return;
  }
  if (went_to_group || process::knows_no_tree(arrived, parent_)) {
    ::kill(run_, arrived.signal);  // in its own session it did not get the group's signal
  } else {
    held_.hold(arrived.signal, sys::monotonic_time());
  }
}

void Outer::look_at_held() {
  for (const int signal : process::look_and_take_due(held_, canary_)) {
    if (!wait_status_) {
      ::kill(run_, signal);
    }
  }
}

void Outer::look_after_run() {
  int status = 0;
  while (!wait_status_ && ::waitpid(run_, &status, WNOHANG | WUNTRACED) == run_) {
    if (WIFSTOPPED(status)) {
      stop_with_run(WSTOPSIG(status));
    } else {
      wait_status_ = status;
    }
  }
}

void Outer::stop_with_run(int signal) {
  if (pty_ != nullptr) {
    pty_->leave_raw();
  }
  drain();
  (void)process::stop_self(signal);
  ::kill(run_, SIGCONT);
  canary_.start();
  canary_.drop_previous();
  if (pty_ != nullptr) {
    pty_->enter_raw();
    pty_->fit();
  }
}

}  // namespace onelane::multicall::capture
