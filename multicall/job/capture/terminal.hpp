#pragma once

#include <sys/types.h>
#include <termios.h>

#include <string>

#include "core/sys/file_descriptor.hpp"

namespace onelane::multicall::capture {

/// The pty that a captured tool gets in place of the caller's terminal. The caller's terminal is
/// raw while its keys are passed on, so that the pty's line discipline handles Ctrl-C; the
/// destructor restores it.
///
/// The process that opens the other side starts a session of its own (pty(7)). Its process group is
/// orphaned, so the kernel discards Ctrl-Z there.
class PtyBridge {
 public:
  /// Takes the modes and size of the terminal on standard output. Throws SystemError.
  PtyBridge();
  PtyBridge(const PtyBridge&) = delete;
  PtyBridge& operator=(const PtyBridge&) = delete;
  ~PtyBridge() { leave_raw(); }

  /// For the process that becomes the run: starts a session on the pty, and replaces those of the
  /// descriptors 0 to 2 that are terminals.
  void open_other_side();

  /// A new descriptor of our side.
  [[nodiscard]] sys::FileDescriptor own_side() const;
  /// Sets the size of the pty to that of the caller's terminal.
  void fit() const noexcept;
  /// Makes the terminal on standard input raw, if this process is in its foreground.
  void enter_raw() noexcept;
  void leave_raw() noexcept;
  /// To be polled for POLLIN (standard input) and POLLOUT (our side); -1 while there is nothing to
  /// do.
  [[nodiscard]] int source() const noexcept { return is_raw_ && keys_.empty() ? 0 : -1; }
  [[nodiscard]] int target() const noexcept { return keys_.empty() ? -1 : own_.get(); }
  /// Passes keys on; to be called when source() is readable or target() writable.
  void pass_keys() noexcept;

 private:
  sys::FileDescriptor own_;
  std::string name_;  ///< Path of the other side.
  termios before_{};
  std::string keys_;  ///< Not passed on yet.
  bool is_raw_ = false;
  bool has_input_ = true;
};

/// The two ends of a pipe or of a socket pair.
struct Ends {
  sys::FileDescriptor read;
  sys::FileDescriptor write;
};
/// Both close-on-exec. Throw SystemError.
[[nodiscard]] Ends make_pipe();
[[nodiscard]] Ends make_sockets();

/// fork(2); this process must have one thread. Throws SystemError.
[[nodiscard]] pid_t split();

/// For the child: get SIGTERM when `parent` dies (prctl(2)); exits if it is dead already.
void end_with(pid_t parent) noexcept;

/// Replaces the descriptors from `first` to `last` with /dev/null.
void use_null(int first, int last) noexcept;

}  // namespace onelane::multicall::capture
