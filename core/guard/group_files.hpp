#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::guard {

/// How the directories of our groups begin. What does not begin so is never touched.
inline constexpr std::string_view kGroupPrefix = "onelane-";

/// Writes one value to the existing file `leaf` of a group. False with errno set. Allocates
/// nothing, so it may stand between fork and exec.
bool write_group_file(const std::string& directory, const char* leaf,
                      std::string_view value) noexcept;

/// A file of a group, as long as the kernel makes it; empty when it is not there.
[[nodiscard]] std::string read_group_file(const std::string& directory, const char* leaf);

/// A file of one number; nothing when it is not there or holds a word.
[[nodiscard]] std::optional<std::uint64_t> read_group_number(const std::string& directory,
                                                             const char* leaf);

/// The number after `key` in lines of "key number", as in memory.stat.
[[nodiscard]] std::optional<std::uint64_t> number_of(std::string_view text,
                                                     std::string_view key) noexcept;

/// Moves a process with all its threads to a group. False with errno set (ESRCH: gone).
/// Allocates nothing.
bool move_process(pid_t pid, const std::string& to) noexcept;

/// The processes in a group, without those in groups below it and those of PID namespaces that
/// we cannot see. Zombies are not listed.
[[nodiscard]] std::vector<pid_t> processes_in(const std::string& directory);

/// The groups directly below whose name begins with `prefix`, as directories.
[[nodiscard]] std::vector<std::string> groups_below(const std::string& directory,
                                                    std::string_view prefix);

/// Moves everything in a group and in our groups below it to the group `to`, and removes them,
/// the deepest first. Moves nobody after `deadline` (sys::monotonic_time). True when the group is
/// gone; not so while a process in it forks or ends, nor while there is a group below it that
/// somebody else made, which stays as it is.
bool try_to_dissolve(const std::string& directory, const std::string& to,
                     std::chrono::nanoseconds deadline);

/// Removes a group of ours, and ours below it, when all are empty and none was made less than
/// `age` ago. True when it is gone.
bool remove_if_abandoned(const std::string& directory, std::chrono::seconds age);

}  // namespace onelane::guard
