#pragma once

#include <cstdint>
#include <string>

#include "core/queue/store.hpp"
#include "core/sys/byte_lock.hpp"

namespace onelane::queue {

// What the files of a queue are handled with, by Store and by Progress.

inline constexpr off_t kChangeByte = 0;
inline constexpr off_t kStarterByte = 1;

/// Holds the lock for changes.
class Store::Guard {
 public:
  explicit Guard(Store& store) : store_{store} { store.lock(); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { sys::unlock_byte(store_.lock_.get(), kChangeByte); }

 private:
  Store& store_;
};

/// The bytes of the file from offset `from` to its present end. Throws SystemError naming `path`;
/// EFBIG for a file that is too long.
[[nodiscard]] std::string content_of(int fd, const std::string& path, std::uint64_t from = 0);

/// `size` bytes from offset `at`, fewer at the end of the file. Throws SystemError.
[[nodiscard]] std::string read_at(int fd, const std::string& path, std::uint64_t at,
                                  std::size_t size);

[[noreturn]] void throw_damaged(const std::string& path);

}  // namespace onelane::queue
