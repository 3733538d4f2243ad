#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "core/journal/run_log.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::journal {

/// What a run without a terminal has written: `<directory>/<run id>.out`, beside its log, made,
/// kept and swept as that is. Past 8 MiB it becomes `<run id>.out.1`, replacing an earlier one.
class RunOutput {
 public:
  /// Keeps the path and does nothing. With a `run_id` that is none nothing is ever written.
  RunOutput(std::string directory, const std::string& run_id, const Retention& retention);

  /// Writes at once, bytes as they are. After the first failure silent for good; the run goes on.
  void write(std::string_view bytes) noexcept;
  /// Everything has been written, and into one file.
  [[nodiscard]] bool is_whole() const noexcept { return !is_silent_ && !was_put_aside_; }
  /// So many bytes fit into it.
  static constexpr off_t kLargest = off_t{8} << 20;

 private:
  void open();

  std::string directory_;
  std::string name_;
  Retention retention_;
  sys::FileDescriptor directory_fd_;
  sys::FileDescriptor file_;
  off_t size_ = 0;
  bool is_silent_;
  bool was_put_aside_ = false;
};

}  // namespace onelane::journal
