#pragma once

#include "core/sys/file_descriptor.hpp"

namespace onelane::multicall::coalesce {

/// A pty for what is only written: the modes of a terminal, but that it changes no byte and
/// echoes none. Nobody's controlling terminal.
struct QuietPty {
  sys::FileDescriptor own;
  sys::FileDescriptor tools;
};

/// With modes and size of the terminal `model`. Throws SystemError.
[[nodiscard]] QuietPty open_quiet_pty(int model);

/// Gives `own` the size of `model`.
void fit_pty(int own, int model) noexcept;

}  // namespace onelane::multicall::coalesce
