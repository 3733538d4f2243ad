#pragma once

#include <string>
#include <string_view>

namespace onelane::multicall {

/// The descriptor of ours that a path names: 1 for `-` and /dev/stdout, N for /dev/fd/N; -1 for
/// every other path.
[[nodiscard]] int descriptor_named(std::string_view path) noexcept;

/// Replaces `path` by `bytes` at once: readers see the old file or the whole new one, which has
/// the old one's mode. Written beside it under a name that did not exist (so no link there is
/// followed), synced, renamed; a link at `path` itself stays, and what it names is replaced. A
/// device or a FIFO is written to, and so is a descriptor of ours (`-`, /dev/stdout, `>(gzip)`),
/// whatever it leads to: that is no file of ours to replace. Throws
/// SystemError, a full disk included; the old file is then as it was.
void write_out(const std::string& path, std::string_view bytes);

/// Appends to `path`, which is made if need be; a FIFO is not waited for. Throws SystemError.
void append_out(const std::string& path, std::string_view bytes);

}  // namespace onelane::multicall
