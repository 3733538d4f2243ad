#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace onelane::sys {

/// What the kernel tells of the sockets of our own network namespace (sock_diag(7)). Neither
/// blocks; both cost a few system calls.

/// The peers of connected UNIX sockets without a name, by inode; empty where the kernel does not
/// tell.
[[nodiscard]] std::unordered_map<std::uint64_t, std::uint64_t> unix_peers();

/// Inodes of the sockets that listen on TCP `port`, for IPv4 or IPv6, in no order. The kernel is
/// asked for those alone: a table of /proc walks over all connections that there could be,
/// milliseconds on a large machine. Empty where it does not tell.
[[nodiscard]] std::optional<std::vector<std::uint64_t>> tcp_listeners(std::uint16_t port);

}  // namespace onelane::sys
