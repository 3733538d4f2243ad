#include "multicall/job/capture/wiring.hpp"

#include <sys/eventfd.h>

#include <cstdint>
#include <memory>

#include "core/sys/error.hpp"
#include "multicall/term/line_match.hpp"

namespace onelane::multicall::capture {

LineSign::LineSign(Wiring& wiring) : wiring_{wiring} {
  if (!wiring.ready || wiring.ready->port != 0) {
    return;
  }
  event_ = sys::lift(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_.is_open()) {
    sys::throw_errno("make", "an eventfd");
  }
  wiring.ready_fd = event_.get();
}

Stream::Sign LineSign::sign_of_stream() const {
  if (!event_.is_open()) {
    return {};
  }
  Stream::Sign sign;
  sign.is_in = [match = std::make_shared<LineMatch>(wiring_.ready->text)](std::string_view piece) {
    return match->add(piece);
  };
  sign.raise = [fd = event_.get()] {
    const std::uint64_t one = 1;
    (void)sys::write_all(fd, {reinterpret_cast<const char*>(&one), sizeof one});
  };
  return sign;
}

}  // namespace onelane::multicall::capture
