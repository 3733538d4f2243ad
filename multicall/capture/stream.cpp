#include "multicall/capture/stream.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <limits.h>
#include <algorithm>
#include <cerrno>
#include <utility>

namespace onelane::multicall::capture {
namespace {

constexpr std::size_t kMostPending = std::size_t{64} << 10U;

}  // namespace

Stream::Stream(sys::FileDescriptor source, int target, Tee tee)
    : source_{std::move(source)}, target_{target}, tee_{std::move(tee)} {
  ::fcntl(source_.get(), F_SETFL, O_NONBLOCK);  // our end of a pipe of ours
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
    return true;
  }
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    source_.reset();  // EIO: nobody has the terminal any more
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
    pending_.erase(0, static_cast<std::size_t>(put));
  } else if (errno != EINTR && errno != EAGAIN) {
    const bool is_gone = errno == EPIPE || errno == ECONNRESET || errno == EIO;
    lose_reader();
    if (is_gone) {
      source_.reset();
    }
  }
}

void Stream::lose_reader() noexcept {
  has_lost_reader_ = true;
  target_ = -1;
  pending_.clear();
}

}  // namespace onelane::multicall::capture
