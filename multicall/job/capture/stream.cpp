#include "multicall/job/capture/stream.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <limits.h>
#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/sys/clock.hpp"

namespace onelane::multicall::capture {
namespace {

constexpr std::size_t kMostPending = std::size_t{64} << 10U;
constexpr std::chrono::seconds kSignWaits{1};  ///< A slow reader must not keep the lane.

}  // namespace

Stream::Stream(sys::FileDescriptor source, int target, Tee tee, Sign sign)
    : source_{std::move(source)}, target_{target}, tee_{std::move(tee)}, sign_{std::move(sign)} {
  ::fcntl(source_.get(), F_SETFL, O_NONBLOCK);  // only our end: the pipe is ours
}

int Stream::source() const noexcept {
  return pending_.size() < kMostPending ? source_.get() : -1;
}

bool Stream::read_once() noexcept {
  char chunk[16384];
  const ssize_t got = ::read(source_.get(), chunk, sizeof chunk);
  if (got > 0) {
    const std::string_view text{chunk, static_cast<std::size_t>(got)};
    if (tee_) {
      tee_(text);
    }
    if (target_ >= 0) {
      pending_.append(text);
    }
    look_for_sign(text);
    return true;
  }
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    source_.reset();  // EIO: no process has the terminal open any more
  }
  return got < 0 && errno == EINTR;
}

void Stream::read() noexcept {
  (void)read_once();
}

void Stream::drain() noexcept {
  while (source_.is_open() && read_once()) {
  }
  pollfd polled{target(), POLLOUT, 0};
  while (target() >= 0 && ::poll(&polled, 1, 0) == 1) {
    write();
  }
}

void Stream::write() noexcept {
  const std::size_t size = std::min<std::size_t>(pending_.size(), PIPE_BUF);
  const ssize_t put = ::write(target_, pending_.data(), size);
  if (put > 0) {
    const auto taken = static_cast<std::size_t>(put);
    pending_.erase(0, taken);
    if (before_sign_) {
      *before_sign_ -= std::min(*before_sign_, taken);
      raise_sign_if_due();
    }
  } else if (errno != EINTR && errno != EAGAIN) {
    const bool is_gone = errno == EPIPE || errno == ECONNRESET || errno == EIO;
    lose_reader();
    if (is_gone) {
      source_.reset();
    }
  }
}

void Stream::look_for_sign(std::string_view text) noexcept {
  if (sign_.is_in && sign_.is_in(text)) {
    sign_.is_in = nullptr;
    before_sign_ = pending_.size();
    sign_read_ = sys::monotonic_time();
    raise_sign_if_due();
  }
}

std::optional<std::chrono::nanoseconds> Stream::until_sign() const noexcept {
  if (!before_sign_) {
    return std::nullopt;
  }
  return sign_read_ + kSignWaits - sys::monotonic_time();
}

void Stream::raise_sign_if_due() noexcept {
  if (before_sign_ && (*before_sign_ == 0 || until_sign()->count() <= 0)) {
    before_sign_.reset();
    sign_.raise();
  }
}

void Stream::lose_reader() noexcept {
  has_lost_reader_ = true;
  target_ = -1;
  pending_.clear();
  if (before_sign_) {
    before_sign_ = 0;
    raise_sign_if_due();
  }
}

}  // namespace onelane::multicall::capture
