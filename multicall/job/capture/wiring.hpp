#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>

#include "core/journal/record.hpp"
#include "core/settings/ready.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/job/capture/stream.hpp"

namespace onelane::multicall::capture {

/// How a run is connected to the process that keeps its output and looks for a line in it.
struct Wiring {
  /// When the run gives its lane back and goes on as a service; nothing: it keeps it to its end.
  std::optional<settings::Ready> ready;
  int ready_fd = -1;                  ///< An eventfd(2), readable once the line has come; borrowed.
  std::array<int, 2> output{-1, -1};  ///< The tool's descriptors 1 and 2; -1: the caller's.
  /// Called with the run's id as soon as it has a place; may be empty.
  std::function<void(const std::string& run_id)> queued;
  /// Called with the record of each attempt after its end, with "-" for a missing id; may block
  /// until the output so far is safe. May be empty.
  std::function<void(const journal::Record& record)> report;
};

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
