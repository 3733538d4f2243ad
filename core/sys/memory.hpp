#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace onelane::sys {

/// Anonymous, shared (shmem, tmpfs) and swapped memory of a process in bytes, from /proc/PID/status
/// (proc(5)): mapped files do not count, memory shared with other processes counts in full. nullopt
/// when it is gone, a zombie or a kernel thread.
[[nodiscard]] std::optional<std::uint64_t> read_memory(pid_t pid) noexcept;

/// The same with shared pages divided among the processes that map them (Pss_Anon, Pss_Shmem,
/// SwapPss of /proc/PID/smaps_rollup). Walks the page tables: about 15 us per megabyte, while
/// holding the process's mmap lock. nullopt when it is gone or another user's.
[[nodiscard]] std::optional<std::uint64_t> read_proportional_memory(pid_t pid) noexcept;

/// Bytes that a process has read and written by any system call, including pipes (rchar and wchar
/// of /proc/PID/io). nullopt when it is gone or another user's.
[[nodiscard]] std::optional<std::uint64_t> read_io(pid_t pid) noexcept;

/// The machine's memory in bytes (/proc/meminfo), or that of the innermost control group with a
/// limit if that is less: a container is killed at its own limit.
struct MachineMemory {
  std::uint64_t total = 0;
  std::uint64_t available = 0;  ///< Available without swapping.
  std::uint64_t swapped = 0;
};
[[nodiscard]] MachineMemory machine_memory() noexcept;

/// /proc/loadavg: the load of the last minute and the number of tasks, threads included.
struct Load {
  double average = 0;
  std::uint64_t tasks = 0;
};
[[nodiscard]] Load machine_load() noexcept;

/// Share of the last ten seconds in which some task waited for memory, in percent
/// (/proc/pressure/memory, "some avg10"); nullopt when the kernel has no PSI.
[[nodiscard]] std::optional<double> memory_pressure() noexcept;

}  // namespace onelane::sys
