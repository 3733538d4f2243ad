#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace onelane::journal {

enum class Level { Debug, Info, Warning, Error };

/// Which run logs stay.
struct Retention {
  std::chrono::days age{14};                      ///< Since the last line.
  std::uint64_t bytes = std::uint64_t{64} << 20;  ///< All files together.
  std::size_t newest = 20;                        ///< So many files stay however old or large.
};

/// Deletes from `directory` what Retention does not keep, oldest first, and returns how many
/// files. Only regular files named as RunLog names them; no symbolic link is followed, nothing
/// else is touched. Looks at 10,000 names at most: a later sweep sees the others. Never blocks.
std::size_t sweep(const std::string& directory, const Retention& retention) noexcept;

/// The log of one run: `<directory>/<run id>.log`, one line an event:
/// `2026-11-21T12:00:00.123Z WARN text`, time in UTC.
///
/// Nothing is made, opened or loaded before the first event, so most runs leave none. Then
/// the directory is made (0700, missing parents too) and swept, and the file opened with mode
/// 0600 whatever the umask; neither may be a symbolic link. As root both get the owner of the
/// directory they are in. Past 8 MiB the file becomes `<run id>.log.1`, replacing an earlier one.
///
/// For one thread; starts none. A copy that fork(2) made appends to the same file.
class RunLog {
 public:
  /// Keeps the path and does nothing. With a `run_id` that is none the log stays silent.
  RunLog(std::string directory, std::string run_id, Retention retention = {});
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;
  ~RunLog();

  /// Writes one line, at once. Control bytes and what is not UTF-8 are '?', more than 16 KiB
  /// is cut. After the first failure (full disk, read-only, no permission) silent for good.
  /// Never throws, never blocks, raises no signal.
  void write(Level level, std::string_view text) noexcept;

  [[nodiscard]] std::string path() const { return directory_ + "/" + run_id_ + ".log"; }
  /// True once a line was written.
  [[nodiscard]] bool is_open() const noexcept { return logger_ != nullptr; }

 private:
  struct Logger;
  void open();

  std::string directory_;
  std::string run_id_;
  Retention retention_;
  std::unique_ptr<Logger> logger_;
  bool is_silent_ = false;
};

}  // namespace onelane::journal
