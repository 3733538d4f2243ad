#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// Starts a process beside a run that passes the tool's output on to the caller and keeps it in
/// `<run id>.out`; `<run id>.parts` says which stream each piece is from.
///
/// The run keeps its process group, session and standard input. Instead of a terminal the tool
/// writes to a pty that changes no byte and is not a controlling terminal. A stream that is closed
/// or /dev/null is left as it is. The keeper ignores signals: it ends when everything has been
/// passed on and no process can write any more, or when the reader has gone.
class OutputKeeper {
 public:
  /// Forks: construct it before the tool is started and before any thread. Throws SystemError.
  OutputKeeper(const Shelf& shelf, const process::Signals& signals);
  OutputKeeper(const OutputKeeper&) = delete;
  OutputKeeper& operator=(const OutputKeeper&) = delete;
  /// The keeper process goes on by itself.
  ~OutputKeeper() = default;

  /// What the tool gets for descriptors 1 and 2; -1: the caller's.
  [[nodiscard]] std::array<int, 2> output() const noexcept {
    return {output_[0].get(), output_[has_one_output_ ? 0 : 1].get()};
  }
  /// To be called when nothing more will be written. True if all of the output is kept. Blocks at
  /// most two seconds, and not for the reader.
  [[nodiscard]] bool finish() noexcept;
  /// Blocks until the reader has all of it or has gone, or an ending signal arrives: then the rest
  /// is lost, as with a tool that a signal ends.
  void wait_for_reader() noexcept;

 private:
  const process::Signals& signals_;
  bool has_one_output_ = false;
  std::array<sys::FileDescriptor, 2> output_;
  sys::FileDescriptor socket_;
};

/// A piece of `<run id>.out`, and the descriptor that it was written to: 1 or 2.
struct Part {
  int stream = 1;
  std::uint64_t size = 0;
  friend bool operator==(const Part&, const Part&) = default;
};

/// Which stream each piece of an output belongs to: the content of `<run id>.parts`.
class Parts {
 public:
  void add(int stream, std::uint64_t size);
  /// False if there are too many parts to keep.
  [[nodiscard]] bool is_whole() const noexcept { return is_whole_; }
  [[nodiscard]] const std::vector<Part>& list() const noexcept { return list_; }
  /// One line per part: stream and size.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Part> list_;
  bool is_whole_ = true;
};

/// Reads that text back; nothing if it is malformed.
[[nodiscard]] std::optional<std::vector<Part>> parse_parts(std::string_view text);

/// A pty for output only: it has the modes of a terminal, except that it changes and echoes no
/// byte. It is not a controlling terminal.
struct QuietPty {
  sys::FileDescriptor own;
  sys::FileDescriptor tools;
};

/// Opens one with the modes and size of the terminal `model`. Throws SystemError.
[[nodiscard]] QuietPty open_quiet_pty(int model);

/// Sets the size of the pty `own` to that of the terminal `model`.
void fit_pty(int own, int model) noexcept;

}  // namespace onelane::multicall::coalesce
