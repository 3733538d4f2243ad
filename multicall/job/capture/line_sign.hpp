#pragma once

#include "core/sys/file_descriptor.hpp"
#include "multicall/job/capture/stream.hpp"
#include "multicall/job/capture/wiring.hpp"

namespace onelane::multicall::capture {

/// Tells a run of the line that it waits for (Wiring::ready): an eventfd(2) that the process which
/// reads the output shares with it. Does nothing for a run that waits for none.
class LineSign {
 public:
  /// To be made before the process is split. Sets `wiring.ready_fd`. Throws SystemError.
  explicit LineSign(Wiring& wiring);

  /// For one stream of the output; may be empty. Outlives us, but not the descriptor.
  [[nodiscard]] Stream::Sign sign_of_stream() const;
  /// In the process that becomes the run.
  [[nodiscard]] sys::FileDescriptor take() { return std::move(event_); }

 private:
  const Wiring& wiring_;
  sys::FileDescriptor event_;
};

}  // namespace onelane::multicall::capture
