#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace onelane::sys {

/// One line of /proc/PID/net/tcp or tcp6 (proc(5)); only the fields onelane uses.
struct TcpLine {
  std::uint16_t port = 0;  ///< The local port.
  bool listens = false;
  std::uint64_t inode = 0;  ///< Of the socket; 0 for one that no process has open.
};

/// nullopt for the header line and any line that does not describe a socket.
[[nodiscard]] std::optional<TcpLine> parse_tcp_line(std::string_view line) noexcept;

/// Inodes of the sockets of any process that listen on TCP `port` in the network namespace of
/// `pid`, for IPv4 or IPv6; sorted. nullopt when the process is gone. In our own namespace the
/// kernel is asked for these sockets only (sock_diag(7)); for another one two tables are read,
/// which takes milliseconds on a large machine.
[[nodiscard]] std::optional<std::vector<std::uint64_t>> listeners_on(pid_t pid, std::uint16_t port);

/// True when `pid` has one of these sockets open; false when it may not be inspected. `inodes` must
/// be sorted.
[[nodiscard]] bool has_socket(pid_t pid, std::span<const std::uint64_t> inodes);

/// Inode of the network namespace of `pid` (/proc/PID/ns/net); 0 when unreadable.
[[nodiscard]] std::uint64_t network_namespace(pid_t pid) noexcept;

}  // namespace onelane::sys
