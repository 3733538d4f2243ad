// What the C++ library does for exceptions before there is one, made cheaper for an executable that
// seldom throws: linked into the static executable only.
//
// The library sets 73 KB aside at start-up, so that an exception can be thrown without memory; the
// exceptions of a program with one thread need a kilobyte, which is touched when it comes to that.
// And the start-up objects of a static executable register its unwind tables, which are then sorted
// at the first throw; with the linker's own table (--eh-frame-hdr) neither is needed.
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <exception>

namespace {

/// Header of an exception (Itanium C++ ABI), as large as in libstdc++ with 64-bit pointers.
constexpr std::size_t kHeader = 128;
constexpr std::size_t kSpare = 1024;
alignas(std::max_align_t) std::byte spare[kSpare];
std::atomic<bool> is_spare_taken{false};

/// Zeroed memory for a header and `size` bytes behind it; returns where these begin.
void* allocate(std::size_t size) noexcept {
  void* place = std::malloc(kHeader + size);
  if (place == nullptr) {
    if (size > kSpare - kHeader || is_spare_taken.exchange(true)) {
      std::terminate();
    }
    place = spare;
  }
  std::memset(place, 0, kHeader);
  return static_cast<std::byte*>(place) + kHeader;
}

void release(void* place) noexcept {
  if (place == spare) {
    is_spare_taken = false;
  } else {
    std::free(place);
  }
}

}  // namespace

// The names are those of the C++ ABI and the linker.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

void* __cxa_allocate_exception(std::size_t size) noexcept {
  return allocate(size);
}

void __cxa_free_exception(void* exception) noexcept {
  release(static_cast<std::byte*>(exception) - kHeader);
}

/// Of an exception that is thrown again (std::rethrow_exception): a header and nothing behind it.
void* __cxa_allocate_dependent_exception() noexcept {
  return static_cast<std::byte*>(allocate(0)) - kHeader;
}

void __cxa_free_dependent_exception(void* exception) noexcept {
  release(exception);
}

// The linker gives these to the start-up objects in place of those without __wrap_ (--wrap).
void __wrap___register_frame_info(const void* /*tables*/, void* /*object*/) {}

void* __wrap___deregister_frame_info(const void* /*tables*/) {
  return nullptr;
}
}
// NOLINTEND(readability-identifier-naming)
