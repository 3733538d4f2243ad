#pragma once

#include "core/sys/file_descriptor.hpp"
#include "multicall/job/capture/stream.hpp"
#include "multicall/job/capture/wiring.hpp"

namespace onelane::multicall::capture {

/// Tells a run that the line it waits for has come (Wiring::ready), through an eventfd(2) that it
/// shares with the process that reads its output. Does nothing for a run that waits for no line.
class LineSign {
 public:
  /// Construct it before the fork. Sets `wiring.ready_fd`. Throws SystemError.
  explicit LineSign(Wiring& wiring);

  /// The sign for one stream of the output; may be empty. May outlive this object, but not the
  /// descriptor.
  [[nodiscard]] Stream::Sign sign_of_stream() const;
  /// For the process that becomes the run: takes the descriptor.
  [[nodiscard]] sys::FileDescriptor take() { return std::move(event_); }

 private:
  const Wiring& wiring_;
  sys::FileDescriptor event_;
};

}  // namespace onelane::multicall::capture
