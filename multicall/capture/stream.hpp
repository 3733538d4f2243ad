#pragma once

#include <cstddef>
#include <functional>
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
  /// `target` is a descriptor of the caller's, borrowed, or -1 for the tee alone.
  Stream(sys::FileDescriptor source, int target, Tee tee);

  /// To be polled for POLLIN, POLLOUT; -1 while there is nothing to do.
  [[nodiscard]] int source() const noexcept;
  [[nodiscard]] int target() const noexcept { return pending_.empty() ? -1 : target_; }

  /// Who reads has gone before it had all.
  [[nodiscard]] bool has_lost_reader() const noexcept { return has_lost_reader_; }

  /// Reads once; to be called when source() is readable.
  void read() noexcept;
  /// Writes so much that a pipe that is writable takes it at once.
  void write() noexcept;
  /// Reads all that is there, whatever waits to be written, and writes what is taken at once.
  void drain() noexcept;

 private:
  [[nodiscard]] bool read_once() noexcept;
  void lose_reader() noexcept;

  sys::FileDescriptor source_;
  int target_;
  Tee tee_;
  std::string pending_;
  bool has_lost_reader_ = false;
};

}  // namespace onelane::multicall::capture
