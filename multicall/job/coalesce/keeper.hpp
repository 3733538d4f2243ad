#pragma once

#include <sys/types.h>

#include <array>
#include <string>

#include "core/journal/run_log.hpp"
#include "core/process/signals.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::multicall::coalesce {

/// Where the output of a run is kept.
struct Shelf {
  std::string log_directory;
  std::string run_id;
  journal::Retention retention;
};

/// A process of its own beside a run: passes on what the tool writes to where its caller reads,
/// and keeps it in `<run id>.out`, both streams told apart in `<run id>.parts`.
///
/// The run stays where it was, its process group, session and standard input too. In place of a
/// terminal the tool writes to a pty that changes no byte and is nobody's controlling terminal. A
/// stream that is closed or /dev/null stays the caller's. The keeper obeys no signal: it ends
/// when all has been passed on and nobody can write any more, or when its reader has gone.
class OutputKeeper {
 public:
  /// To be made before the tool is started, without other threads. Throws SystemError.
  OutputKeeper(const Shelf& shelf, const process::Signals& signals);
  OutputKeeper(const OutputKeeper&) = delete;
  OutputKeeper& operator=(const OutputKeeper&) = delete;
  /// The keeper goes on by itself.
  ~OutputKeeper() = default;

  /// What the tool gets for descriptors 1 and 2; -1: the caller's.
  [[nodiscard]] std::array<int, 2> output() const noexcept {
    return {output_[0].get(), output_[has_one_output_ ? 0 : 1].get()};
  }
  /// Nothing more will be written. True when all of it is kept. Blocks for that, two seconds at
  /// most: who reads is not waited for.
  [[nodiscard]] bool finish() noexcept;
  /// Blocks until who reads has all of it, or has gone, or an ending signal arrives: then the rest
  /// is lost, as with a tool that a signal ends.
  void wait_for_reader() noexcept;

 private:
  const process::Signals& signals_;
  bool has_one_output_ = false;
  std::array<sys::FileDescriptor, 2> output_;
  sys::FileDescriptor socket_;
};

}  // namespace onelane::multicall::coalesce
