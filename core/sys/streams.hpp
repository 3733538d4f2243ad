#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <span>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace onelane::sys {

/// One way for bytes between processes: a pipe or FIFO (pipe(7), fifo(7)), known by its inode and
/// the device that has it, or one of the two directions of a pair of connected UNIX sockets, known
/// by the inode of the sending one, with device 0.
struct Channel {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const Channel&, const Channel&) = default;
  friend bool operator<(const Channel& left, const Channel& right) noexcept {
    return std::tie(left.device, left.inode) < std::tie(right.device, right.inode);
  }
};

/// What one descriptor of a process is to a channel.
struct ChannelEnd {
  Channel channel;
  int descriptor = -1;
  bool writes = false;  ///< It is the writing end; else the reading one.
  /// Standard input, output or error: where programs that know nothing of each other meet.
  [[nodiscard]] bool is_standard() const noexcept { return descriptor < 3; }
};

/// Which UNIX sockets of this network namespace are connected with which, asked of the kernel
/// (sock_diag(7)) when the first one is asked for. Only pairs without a name, as socketpair(2)
/// makes them: a connection to a server (display, D-Bus, journal) is no way from one of its
/// clients to another.
class SocketPairs {
 public:
  /// The inode of the other end; 0 for none that is known.
  [[nodiscard]] std::uint64_t peer_of(std::uint64_t inode);

 private:
  bool was_read_ = false;
  std::unordered_map<std::uint64_t, std::uint64_t> peers_;
};

/// The ends that `pid` has open, read from /proc/PID/fd (proc(5)); empty for one that is gone or
/// that we may not look into. A socket counts as what its standard descriptor says: as descriptor
/// 0 it is read from, as 1 or 2 written to, elsewhere both. Blocks on nothing but /proc.
[[nodiscard]] std::vector<ChannelEnd> channel_ends(pid_t pid, SocketPairs& pairs);

/// Which of some processes can send bytes to which.
///
/// A channel leads from a process that writes it to one that reads it, if one of the two has it as
/// a standard stream: sockets between the parts of one program lead nowhere. A channel of which one
/// process has both ends (a jobserver, a pipe to itself) leads nowhere either. A process that reads
/// one channel and writes another is taken to pass on what it reads. A snapshot; one thread.
class Flow {
 public:
  enum class Role {
    Part,     ///< Sends, receives and passes on.
    Witness,  ///< Does none of it: only counts where it has both ends of a channel.
  };
  /// Adds `pid` with what it has open now; a second time is harmless.
  void add(pid_t pid, Role role = Role::Part);
  /// True when one of `pids`, as added, has an end of a channel.
  [[nodiscard]] bool any_ends(std::span<const pid_t> pids) const;
  /// True when bytes can come from one of `from` to one of `to`, through any part that was added.
  [[nodiscard]] bool leads(std::span<const pid_t> from, std::span<const pid_t> to) const;
  /// True when `writer`, be it a witness, itself writes what `reader` has as its standard input.
  [[nodiscard]] bool feeds(pid_t writer, pid_t reader) const;

 private:
  struct Process {
    Role role = Role::Part;
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
  void note(pid_t pid, const Process& process);

  SocketPairs pairs_;
  std::unordered_map<pid_t, Process> processes_;
  std::map<Channel, Readers> readers_;
};

}  // namespace onelane::sys
