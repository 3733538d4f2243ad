#include "multicall/shim/take_over.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace onelane::multicall {
namespace {

constexpr std::chrono::milliseconds kLookWithin{1'000};

}  // namespace

void TakeOver::begin() noexcept {
  is_due_ = place_.ticket && place_.ticket->is_beside();
  if (!is_due_) {
    return;
  }
  watch_ = sys::lift(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (watch_.is_open()) {
    (void)::inotify_add_watch(watch_.get(), place_.table->path().c_str(), IN_ATTRIB);
  }
}

void TakeOver::look(process::Judgement& judgement) noexcept {
  if (!is_due_) {
    return;
  }
  alignas(inotify_event) std::array<char, 4096> events;
  while (watch_.is_open() && ::read(watch_.get(), events.data(), events.size()) > 0) {
  }
  is_due_ = !place_.ticket->take_over();
  if (is_due_) {
    judgement.next = std::min(judgement.next, kLookWithin);
  } else {
    watch_.reset();
  }
}

}  // namespace onelane::multicall
