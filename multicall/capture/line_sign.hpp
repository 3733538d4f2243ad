#pragma once

#include <functional>
#include <string_view>

#include "core/sys/file_descriptor.hpp"
#include "multicall/run.hpp"

namespace onelane::multicall::capture {

/// Tells a run of the line that it waits for (Plan::ready): an eventfd(2) that the process which
/// reads the output shares with it. Does nothing for a run that waits for none.
class LineSign {
 public:
  /// To be made before the process is split. Sets `plan.ready_fd`. Throws SystemError.
  explicit LineSign(Plan& plan);

  /// What is to see one stream of the output, piece by piece; may be empty. Outlives us, but not
  /// the descriptor.
  [[nodiscard]] std::function<void(std::string_view)> watch_stream() const;
  /// In the process that becomes the run.
  [[nodiscard]] sys::FileDescriptor take() { return std::move(event_); }

 private:
  const Plan& plan_;
  sys::FileDescriptor event_;
};

}  // namespace onelane::multicall::capture
