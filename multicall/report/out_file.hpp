#pragma once

#include <string>
#include <string_view>

namespace onelane::multicall {

/// The descriptor of ours that a path names: 1 for `-` and /dev/stdout, N for /dev/fd/N; -1 for any
/// other path.
[[nodiscard]] int descriptor_named(std::string_view path) noexcept;

/// Replaces `path` by `bytes` atomically: readers see the old file or the whole new one, which
/// keeps the old mode. The bytes are written to a new file beside it (O_EXCL, so no link is
/// followed there), synced and renamed. A link at `path` stays, and its target is replaced. A
/// device, a FIFO or a descriptor of ours (`-`, /dev/stdout, `>(gzip)`) is written to instead,
/// since it is no file of ours to replace. Throws SystemError, also for a full disk; the old file
/// is then unchanged.
void write_out(const std::string& path, std::string_view bytes);

/// Appends to `path`, which is created if needed; does not wait for the reader of a FIFO. Throws
/// SystemError.
void append_out(const std::string& path, std::string_view bytes);

}  // namespace onelane::multicall
