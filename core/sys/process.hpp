#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::sys {

/// Identity of a process. A pid alone does not identify a process (it is reused); pid and start
/// time do, within one boot and one PID namespace.
struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start = 0;  ///< Clock ticks after boot, field 22 of /proc/PID/stat (proc(5)).
  friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

/// Content of /proc/PID/stat (proc(5)); only the fields onelane uses.
struct ProcessStat {
  ProcessId id;
  char state = '?';  ///< R S D T t Z X …
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  int tty = 0;                  ///< Device number of the controlling terminal, 0 for none.
  pid_t tty_group = 0;          ///< Foreground group of that terminal, -1 for none.
  std::uint64_t cpu_ticks = 0;  ///< utime + stime.
  int threads = 0;
  bool is_exiting = false;  ///< PF_EXITING: it is closing its files, so closed ones prove nothing.
  bool has_not_executed = false;  ///< Forked, without an execve(2) since (PF_FORKNOEXEC).
  std::uint64_t resident = 0;     ///< Bytes in memory, including mapped files and shared pages.
  std::array<char, 16> name{};    ///< comm, NUL-terminated.
  /// True for a zombie. A process whose first thread alone has ended lives on in the others
  /// (pthread_exit(3)), and so does a killed one until its last thread is gone.
  [[nodiscard]] bool has_ended() const noexcept {
    return (state == 'Z' || state == 'X') && threads <= 1;
  }
};

/// Reads one process without allocating; nullopt when it is gone or /proc is hidden.
[[nodiscard]] std::optional<ProcessStat> read_stat(pid_t pid) noexcept;

/// Identity of the calling process.
[[nodiscard]] ProcessId self_id() noexcept;

/// True when /proc exists and shows our own PID namespace: after `unshare -p` without a new /proc
/// it describes other processes under our numbers, and in a bare chroot it is missing.
[[nodiscard]] bool proc_is_ours() noexcept;

/// True while `id` names a live process or an unreaped zombie.
[[nodiscard]] bool exists(const ProcessId& id) noexcept;

/// The ancestors of `pid`, parent first, up to pid 1 or to where /proc stops answering. At most 64
/// levels.
struct Ancestry {
  std::vector<ProcessStat> chain;
  bool complete = false;  ///< Reached pid 1 or a parent of 0 (the top of a PID namespace).
};

/// Each ancestor costs a read of /proc; `is_enough`, if given, ends the search with the first that
/// it is true for.
[[nodiscard]] Ancestry ancestry_of(pid_t pid,
                                   const std::function<bool(const ProcessStat&)>& is_enough = {});

/// Children of every thread of `pid`, zombies included.
[[nodiscard]] std::vector<pid_t> children_of(pid_t pid);

/// Children of the calling process, which must have one thread; cheaper than children_of().
[[nodiscard]] std::vector<pid_t> own_children();

/// All descendants of `root`, without `root`, zombies included: read from /proc/PID/task/*/children
/// if the kernel has it, else from one scan of /proc. A snapshot: a caller that must not miss any
/// process repeats it until two are equal (proc(5)).
[[nodiscard]] std::vector<ProcessStat> descendants_of(pid_t root);

/// Every process visible in /proc.
[[nodiscard]] std::vector<pid_t> all_pids();

/// One process in the listing of /proc. The inode tells a reused pid from the process before it
/// without a read: it belongs to the kernel's process object, not to the number.
struct ProcEntry {
  pid_t pid = 0;
  std::uint64_t inode = 0;
};
/// Every process visible in /proc, at the cost of the listing alone.
[[nodiscard]] std::vector<ProcEntry> listed_processes();

/// Value of `name` in the *initial* environment of `pid` (/proc/PID/environ); nullopt when unset or
/// unreadable (another user's process).
[[nodiscard]] std::optional<std::string> initial_environment(pid_t pid, std::string_view name);

/// The real user of `pid` (/proc/PID/status, proc(5)); nullopt when it is gone.
[[nodiscard]] std::optional<uid_t> real_user(pid_t pid);

/// Arguments of `pid`, argv[0] first, at most 16 KiB of them; empty when it is gone, a zombie or a
/// kernel thread.
[[nodiscard]] std::vector<std::string> arguments(pid_t pid);

/// Command line of `pid` for display: arguments joined by spaces, unprintable bytes as '?', cut at
/// `limit` bytes; the name in brackets for a kernel thread or zombie.
[[nodiscard]] std::string command_line(pid_t pid, std::size_t limit = 200);

/// Our PID namespace combined, if it is not the machine's own, with our time namespace, which
/// shifts all start times that we read (time_namespaces(7)); 0 when unreadable. Pids and start
/// times of two processes are comparable only when these values are equal. Read once: setns(2) and
/// unshare(2) change those of children only.
[[nodiscard]] std::uint64_t pid_namespace() noexcept;

/// Inode of our PID namespace alone (/proc/self/ns/pid): one system call less, and enough to
/// compare pids with `pids_of` of another process's pid_namespace().
[[nodiscard]] std::uint64_t pid_namespace_alone() noexcept;
[[nodiscard]] constexpr std::uint64_t pids_of(std::uint64_t pid_namespace) noexcept {
  return pid_namespace & 0xffffffffU;
}

/// First eight bytes of the kernel's boot id, so that a record from before a reboot is recognised.
[[nodiscard]] std::uint64_t boot_id() noexcept;

/// True when stopped by a signal (Ctrl-Z) or a debugger; false when it is gone.
[[nodiscard]] bool is_stopped(const ProcessId& id);

/// The same for a state from /proc (ProcessStat).
[[nodiscard]] constexpr bool is_stop_state(char state) noexcept {
  return state == 'T' || state == 't';
}

/// How many more processes the calling user may start under RLIMIT_NPROC, with threads counted as
/// the kernel counts them (getrlimit(2)). nullopt without a limit, for root, to whom it does not
/// apply, and for a limit of 256 or more, which is not expected to be reached: only below that are
/// the processes counted, with one scan of /proc.
[[nodiscard]] std::optional<std::uint64_t> process_room();

}  // namespace onelane::sys
