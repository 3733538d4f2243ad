#pragma once

#include "core/sys/file_descriptor.hpp"

namespace onelane::multicall::coalesce {

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
