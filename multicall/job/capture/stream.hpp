#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/sys/file_descriptor.hpp"

namespace onelane::multicall::capture {

/// Copies what a run writes to where its caller reads, and to a second reader on the way.
///
/// Never blocks: a slow reader stops the reading, as a full pipe would. One that is gone closes
/// `source` where that is a pipe, so that the tool learns it as without us; what a full disk does
/// not take is dropped, and the tool goes on. For poll(2).
class Stream {
 public:
  using Tee = std::function<void(std::string_view)>;
  /// What is looked for in the text, and told once when the caller has all up to it, has gone, or
  /// has not taken it for a second.
  struct Sign {
    std::function<bool(std::string_view)> is_in;  ///< Asked with each piece; empty for no sign.
    std::function<void()> raise;
  };
  /// `target` is a descriptor of the caller's, borrowed, or -1 for the tee alone.
  Stream(sys::FileDescriptor source, int target, Tee tee, Sign sign = {});

  /// To be polled for POLLIN, POLLOUT; -1 while there is nothing to do.
  [[nodiscard]] int source() const noexcept;
  [[nodiscard]] int target() const noexcept { return pending_.empty() ? -1 : target_; }

  /// Who reads has gone before it had all.
  [[nodiscard]] bool has_lost_reader() const noexcept { return has_lost_reader_; }

  /// How long until a sign is raised although the caller does not read; nothing while none waits.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> until_sign() const noexcept;
  /// To be called when until_sign() is over.
  void raise_sign_if_due() noexcept;

  /// Reads once; to be called when source() is readable.
  void read() noexcept;
  /// Writes so much that a pipe that is writable takes it at once.
  void write() noexcept;
  /// Reads all that is there, whatever waits to be written, and writes what is taken at once.
  void drain() noexcept;

 private:
  [[nodiscard]] bool read_once() noexcept;
  void look_for_sign(std::string_view text) noexcept;
  void lose_reader() noexcept;

  sys::FileDescriptor source_;
  int target_;
  Tee tee_;
  Sign sign_;
  std::string pending_;
  std::optional<std::size_t> before_sign_;  ///< Of pending_, while a sign waits.
  std::chrono::nanoseconds sign_read_{};    ///< Monotonic time.
  bool has_lost_reader_ = false;
};

}  // namespace onelane::multicall::capture
