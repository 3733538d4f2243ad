#include "multicall/shim/take_over.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace onelane::multicall {
namespace {

constexpr std::chrono::milliseconds kLookWithin{1'000};

}  // namespace

void TakeOver::begin(lane::Ticket& ticket) noexcept {
  if (!ticket.is_beside()) {
    return;
  }
  ticket_ = &ticket;
  watch_ = sys::lift(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (watch_.is_open()) {
    (void)::inotify_add_watch(watch_.get(), ticket.table().path().c_str(), IN_ATTRIB);
  }
}

void TakeOver::look(process::Judgement& judgement) noexcept {
  if (ticket_ == nullptr) {
    return;
  }
  alignas(inotify_event) std::array<char, 4096> events;
  while (watch_.is_open() && ::read(watch_.get(), events.data(), events.size()) > 0) {
  }
  if (ticket_->take_over()) {
    ticket_ = nullptr;
    watch_.reset();
  } else {
    judgement.next = std::min(judgement.next, kLookWithin);
  }
}

}  // namespace onelane::multicall
