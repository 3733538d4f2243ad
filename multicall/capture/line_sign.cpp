#include "multicall/capture/line_sign.hpp"

#include <sys/eventfd.h>

#include <cstdint>
#include <memory>

#include "core/sys/error.hpp"
#include "multicall/line_match.hpp"

namespace onelane::multicall::capture {

LineSign::LineSign(Plan& plan) : plan_{plan} {
  if (!plan.ready || plan.ready->port != 0) {
    return;
  }
  event_ = sys::lift(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_.is_open()) {
    sys::throw_errno("make", "an eventfd");
  }
  plan.ready_fd = event_.get();
}

std::function<void(std::string_view)> LineSign::watch_stream() const {
  if (!event_.is_open()) {
    return {};
  }
  return [match = std::make_shared<LineMatch>(plan_.ready->text), fd = event_.get(),
          has_told = false](std::string_view piece) mutable {
    if (!has_told && match->add(piece)) {
      has_told = true;
      const std::uint64_t one = 1;
      (void)sys::write_all(fd, {reinterpret_cast<const char*>(&one), sizeof one});
    }
  };
}

}  // namespace onelane::multicall::capture
