#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace onelane::sys {

/// Facts from the kernel about the sockets of our own network namespace (sock_diag(7)). Neither
/// function blocks; both cost a few system calls.

/// The peers of connected UNIX sockets without a name, by inode; empty when the kernel does not
/// report them.
[[nodiscard]] std::unordered_map<std::uint64_t, std::uint64_t> unix_peers();

/// Inodes of the sockets that listen on TCP `port`, for IPv4 or IPv6, in no particular order. The
/// kernel is asked for these only: reading a table in /proc walks all possible connections, which
/// takes milliseconds on a large machine. nullopt when the kernel does not report them.
[[nodiscard]] std::optional<std::vector<std::uint64_t>> tcp_listeners(std::uint16_t port);

}  // namespace onelane::sys
