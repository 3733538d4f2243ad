#pragma once

#include <termios.h>

#include <string>

#include "core/sys/file_descriptor.hpp"

namespace onelane::multicall::capture {

/// The pty that a captured tool has in place of the caller's terminal, and that terminal while
/// its keys go there: raw, so that the pty's line discipline makes Ctrl-C of them. Given back as
/// it was on destruction.
///
/// Whoever opens the other side becomes a session of its own (pty(7)); its process group is
/// orphaned, so the kernel discards Ctrl-Z there.
class PtyBridge {
 public:
  /// With modes and size of the terminal that is standard output. Throws SystemError.
  PtyBridge();
  PtyBridge(const PtyBridge&) = delete;
  PtyBridge& operator=(const PtyBridge&) = delete;
  ~PtyBridge() { leave_raw(); }

  /// In the process that becomes the run: a new session on the pty, which takes the place of
  /// those of descriptors 0 to 2 that are terminals.
  void open_other_side();

  /// A descriptor of our side.
  [[nodiscard]] sys::FileDescriptor own_side() const;
  /// Takes the caller's size.
  void fit() const noexcept;
  /// Raw as long as we are in the foreground of a terminal on standard input.
  void enter_raw() noexcept;
  void leave_raw() noexcept;
  /// To be polled for POLLIN (standard input), POLLOUT (our side); -1 while there is nothing to do.
  [[nodiscard]] int source() const noexcept { return is_raw_ && keys_.empty() ? 0 : -1; }
  [[nodiscard]] int target() const noexcept { return keys_.empty() ? -1 : own_.get(); }
  /// Passes keys on; to be called when source() is readable or target() writable.
  void pass_keys() noexcept;

 private:
  sys::FileDescriptor own_;
  std::string name_;  ///< Of the other side.
  termios before_{};
  std::string keys_;  ///< Not passed on yet.
  bool is_raw_ = false;
  bool has_input_ = true;
};

}  // namespace onelane::multicall::capture
