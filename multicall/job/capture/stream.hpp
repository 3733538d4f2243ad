#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/sys/file_descriptor.hpp"

namespace onelane::multicall::capture {

/// Copies one output stream of a run to the caller's descriptor, and to a second reader, the tee.
///
/// For use with poll(2); never blocks. While the reader is slow, nothing more is read, as with a
/// full pipe. When the reader has gone, `source` is closed if it is a pipe, so that the tool gets
/// SIGPIPE as it would without us. What does not fit on a full disk is dropped, and the tool goes
/// on.
class Stream {
 public:
  using Tee = std::function<void(std::string_view)>;
  /// A text to look for; announced once, when the caller has read up to it, has gone, or has not
  /// read for a second.
  struct Sign {
    std::function<bool(std::string_view)> is_in;  ///< Called with each piece; empty: no sign.
    std::function<void()> raise;
  };
  /// `target` is the caller's descriptor, borrowed, or -1 to feed only the tee.
  Stream(sys::FileDescriptor source, int target, Tee tee, Sign sign = {});

  /// To be polled for POLLIN and POLLOUT; -1 while there is nothing to do.
  [[nodiscard]] int source() const noexcept;
  [[nodiscard]] int target() const noexcept { return pending_.empty() ? -1 : target_; }

  /// True if the reader went away before it had everything.
  [[nodiscard]] bool has_lost_reader() const noexcept { return has_lost_reader_; }

  /// How long until a sign is raised even if the caller does not read; nothing if none waits.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> until_sign() const noexcept;
  /// To be called after until_sign() has passed.
  void raise_sign_if_due() noexcept;

  /// Reads once; to be called when source() is readable.
  void read() noexcept;
  /// Writes as much as a writable pipe takes at once; to be called when target() is writable.
  void write() noexcept;
  /// Reads everything that is there, however much is still to be written, and writes what is taken
  /// at once.
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
  std::optional<std::size_t> before_sign_;  ///< Bytes of pending_ up to a sign that waits.
  std::chrono::nanoseconds sign_read_{};    ///< Monotonic time.
  bool has_lost_reader_ = false;
};

}  // namespace onelane::multicall::capture
