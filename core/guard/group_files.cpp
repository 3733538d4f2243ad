#include "core/guard/group_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>

#include "core/sys/clock.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::guard {
namespace {

/// cgroup.procs of 500 000 processes.
constexpr std::size_t kLongestFile = std::size_t{4} << 20;

bool remove_group(const std::string& directory) noexcept {
  return ::rmdir(directory.c_str()) == 0 || errno == ENOENT;
}

bool was_made_within(const std::string& directory, std::chrono::seconds age) noexcept {
  // The kernel stamps the directory when it is first looked up, never earlier than it was made.
  struct stat info {};
  return ::stat(directory.c_str(), &info) != 0 ||
         sys::wall_seconds() - info.st_ctim.tv_sec < age.count();
}

}  // namespace

bool write_group_file(const std::string& directory, const char* leaf,
                      std::string_view value) noexcept {
  char path[PATH_MAX];
  const int length = std::snprintf(path, sizeof path, "%s/%s", directory.c_str(), leaf);
  if (length < 0 || static_cast<std::size_t>(length) >= sizeof path) {
    errno = ENAMETOOLONG;
    return false;
  }
  // Not lifted: closed before anyone else can see the number.
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    return false;
  }
  const bool is_written = sys::write_all(fd, value);
  const int saved = errno;
  ::close(fd);
  errno = saved;
  return is_written;
}

std::string read_group_file(const std::string& directory, const char* leaf) {
  return sys::read_small_file((directory + "/" + leaf).c_str(), kLongestFile).value_or("");
}

std::optional<std::uint64_t> read_group_number(const std::string& directory, const char* leaf) {
  const std::string text = read_group_file(directory, leaf);
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc{} ? std::optional{value} : std::nullopt;
}

std::optional<std::uint64_t> number_of(std::string_view text, std::string_view key) noexcept {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ') {
      std::uint64_t value = 0;
      const auto result =
          std::from_chars(line.data() + key.size() + 1, line.data() + line.size(), value);
      return result.ec == std::errc{} ? std::optional{value} : std::nullopt;
    }
  }
  return std::nullopt;
}

bool move_process(pid_t pid, const std::string& to) noexcept {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, pid).ptr;
  return write_group_file(to, "cgroup.procs", {digits, static_cast<std::size_t>(end - digits)});
}

std::vector<pid_t> processes_in(const std::string& directory) {
  std::vector<pid_t> out;
  const std::string text = read_group_file(directory, "cgroup.procs");
  const char* at = text.data();
  const char* const end = at + text.size();
  for (pid_t pid = 0; at < end; ++at) {
    const auto result = std::from_chars(at, end, pid);
    if (result.ec != std::errc{}) {
      break;
    }
    at = result.ptr;
    if (pid > 0) {
      out.push_back(pid);
    }
  }
  return out;
}

std::vector<std::string> groups_below(const std::string& directory, std::string_view prefix) {
  std::vector<std::string> out;
  struct stat info {};
  // Two links: the kernel counts one more for each group below (cheaper than reading thirty names).
  if (::stat(directory.c_str(), &info) != 0 || info.st_nlink == 2) {
    return out;
  }
  DIR* open = ::opendir(directory.c_str());
  if (open == nullptr) {
    return out;
  }
  while (const dirent* entry = ::readdir(open)) {
    const std::string_view name{entry->d_name};
    if (entry->d_type == DT_DIR && name != "." && name != ".." && name.starts_with(prefix)) {
      out.push_back(directory + "/" + entry->d_name);
    }
  }
  ::closedir(open);
  return out;
}

bool try_to_dissolve(const std::string& directory, const std::string& to,
                     std::chrono::nanoseconds deadline) {
  for (const std::string& below : groups_below(directory, kGroupPrefix)) {
    (void)try_to_dissolve(below, to, deadline);
  }
  for (const pid_t pid : processes_in(directory)) {
    if (sys::monotonic_time() >= deadline) {
      return false;
    }
    (void)move_process(pid, to);
  }
  return remove_group(directory);
}

bool remove_if_abandoned(const std::string& directory, std::chrono::seconds age) {
  if (was_made_within(directory, age)) {
    return false;
  }
  if (remove_group(directory)) {
    return true;
  }
  // In use, not abandoned: then the empty groups below belong to runs that are about to start.
  if (!processes_in(directory).empty()) {
    return false;
  }
  for (const std::string& below : groups_below(directory, kGroupPrefix)) {
    (void)remove_if_abandoned(below, age);
  }
  return remove_group(directory);
}

}  // namespace onelane::guard
