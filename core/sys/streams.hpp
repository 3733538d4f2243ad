#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <span>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace onelane::sys {

/// One way for bytes to travel between processes: a pipe or FIFO (pipe(7), fifo(7)), identified by
/// its inode and device, or one of the two directions of a pair of connected UNIX sockets,
/// identified by the inode of the sending socket, with device 0.
struct Channel {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const Channel&, const Channel&) = default;
  friend bool operator<(const Channel& left, const Channel& right) noexcept {
    return std::tie(left.device, left.inode) < std::tie(right.device, right.inode);
  }
};

/// How one descriptor of a process relates to a channel.
struct ChannelEnd {
  Channel channel;
  int descriptor = -1;
  bool writes = false;  ///< It is the writing end; else the reading end.
  /// Standard input, output or error: the streams that join programs unaware of each other.
  [[nodiscard]] bool is_standard() const noexcept { return descriptor < 3; }
};

/// Which UNIX sockets of this network namespace are connected, read from the kernel (sock_diag(7))
/// on first use. Only pairs without a name, as made by socketpair(2): a connection to a server
/// (display, D-Bus, journal) does not lead from one of its clients to another.
class SocketPairs {
 public:
  /// The inode of the other end; 0 when unknown.
  [[nodiscard]] std::uint64_t peer_of(std::uint64_t inode);

 private:
  bool was_read_ = false;
  std::unordered_map<std::uint64_t, std::uint64_t> peers_;
};

/// The ends that `pid` has open, read from /proc/PID/fd (proc(5)); empty when it is gone or may not
/// be inspected. A socket is classified by its descriptor: 0 is read from, 1 and 2 are written to,
/// any other is both. Blocks only for /proc.
[[nodiscard]] std::vector<ChannelEnd> channel_ends(pid_t pid, SocketPairs& pairs);

/// Which of some processes can send bytes to which.
///
/// A channel leads from a process that writes it to one that reads it, if one of the two has it as
/// a standard stream: sockets between the parts of one program lead nowhere. A channel with both
/// ends in one process (a jobserver, a pipe to itself) leads nowhere either. A process that reads
/// one channel and writes another is assumed to pass on what it reads. A snapshot; one thread.
class Flow {
 public:
  enum class Role {
    Part,  ///< Sends, receives and passes on.
    /// The same by the streams that its starter gave it only: standard ones, and for a shell those
    /// from 10 on, where it keeps its own while a command has others (POSIX.1-2017, XCU 2.7).
    Started,
    Witness,  ///< Does none of these: it only matters when it has both ends of a channel.
  };
  /// Adds `pid` with its current descriptors; harmless when repeated.
  void add(pid_t pid, Role role = Role::Part);
  /// True when one of `pids`, as added, has an end of a channel.
  [[nodiscard]] bool any_ends(std::span<const pid_t> pids) const;
  /// True when bytes can travel from one of `from` to one of `to`, through any part that was added.
  [[nodiscard]] bool leads(std::span<const pid_t> from, std::span<const pid_t> to) const;
  /// True when `writer`, even a witness, itself writes the standard input of `reader`.
  [[nodiscard]] bool feeds(pid_t writer, pid_t reader) const;

 private:
  struct Process {
    Role role = Role::Part;
    bool is_shell = false;
    std::vector<ChannelEnd> ends;
  };
  struct Reader {
    pid_t pid = 0;
    bool is_standard = false;
  };
  struct Readers {
    std::vector<Reader> list;
    bool is_circuit = false;  ///< One process has both ends.
  };
  /// True when the process uses this end as a part.
  [[nodiscard]] static bool counts(const Process& process, const ChannelEnd& end) noexcept;
  void note(pid_t pid, const Process& process);

  SocketPairs pairs_;
  std::unordered_map<pid_t, Process> processes_;
  std::map<Channel, Readers> readers_;
};

}  // namespace onelane::sys
