#include "core/sys/memory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "core/sys/file_descriptor.hpp"

namespace onelane::sys {
namespace {

/// A small file of /proc or of a control group, read onto the stack; empty when it cannot be read.
class Text {
 public:
  explicit Text(const char* path) noexcept {
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
      const long got = read_up_to(fd, text_.data(), text_.size() - 1);
      ::close(fd);
      length_ = got > 0 ? static_cast<std::size_t>(got) : 0;
    }
  }
  [[nodiscard]] bool is_empty() const noexcept { return length_ == 0; }
  [[nodiscard]] const char* begin() const noexcept { return text_.data(); }
  /// The number after `label` at the start of a line.
  [[nodiscard]] std::optional<std::uint64_t> number(const char* label) const noexcept {
    const std::size_t length = std::strlen(label);
    for (const char* line = text_.data(); line != nullptr && *line != '\0';) {
      if (std::strncmp(line, label, length) == 0) {
        return std::strtoull(line + length, nullptr, 10);
      }
      line = std::strchr(line, '\n');
      line = line == nullptr ? nullptr : line + 1;
    }
    return std::nullopt;
  }

 private:
  std::array<char, 8192> text_{};
  std::size_t length_ = 0;
};

Text process_file(pid_t pid, const char* name) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  return Text{path};
}

/// The control group whose memory limit applies to us, if it is visible.
struct LimitedGroup {
  std::string directory;
  bool is_v2 = false;
  std::uint64_t limit = 0;  ///< 0 for no limit.
};

/// The path after `prefix` in the lines of /proc/self/cgroup (cgroups(7)): "\n0::" for v2.
std::optional<std::string> own_group(const char* prefix) {
  const auto text = read_small_file("/proc/self/cgroup", 65536);
  if (!text) {
    return std::nullopt;
  }
  const std::string lines = "\n" + *text;
  const std::size_t at = lines.find(prefix);
  if (at == std::string::npos) {
    return std::nullopt;
  }
  const std::size_t from = at + std::strlen(prefix);
  return lines.substr(from, lines.find('\n', from) - from);
}

/// The tightest limit from `path` up to `mount`; v1 writes "no limit" as a huge number.
LimitedGroup tightest(const std::string& mount, std::string path, const char* file, bool is_v2) {
  LimitedGroup found;
  for (;;) {
    const std::string directory = mount + path;
    const Text text{(directory + file).c_str()};
    if (!text.is_empty() && *text.begin() != 'm') {
      const std::uint64_t limit = std::strtoull(text.begin(), nullptr, 10);
      if (limit < std::uint64_t{1} << 60U && (found.limit == 0 || limit < found.limit)) {
        found = {directory, is_v2, limit};
      }
    }
    if (path.empty()) {
      return found;
    }
    path.erase(std::min(path.size(), path.rfind('/')));
  }
}

LimitedGroup find_limited_group() {
  if (const auto path = own_group(":memory:")) {
    return tightest("/sys/fs/cgroup/memory", *path == "/" ? "" : *path, "/memory.limit_in_bytes",
                    false);
  }
  if (const auto path = own_group("\n0::")) {
    return tightest("/sys/fs/cgroup", *path == "/" ? "" : *path, "/memory.max", true);
  }
  return {};
}

/// Memory that the kernel holds for the group and can drop, mostly names and inodes of files. v1
/// does not report it separately from other kernel memory.
std::uint64_t droppable_by_kernel(const LimitedGroup& group, const Text& stat) noexcept {
  if (group.is_v2) {
    return stat.number("slab_reclaimable ").value_or(0);
  }
  const Text held{(group.directory + "/memory.kmem.usage_in_bytes").c_str()};
  return std::strtoull(held.begin(), nullptr, 10);
}

/// Applies the memory left below the limit; droppable memory counts as left, as in MemAvailable.
void apply(const LimitedGroup& group, MachineMemory& memory) noexcept {
  const Text used{
      (group.directory + (group.is_v2 ? "/memory.current" : "/memory.usage_in_bytes")).c_str()};
  const Text stat{(group.directory + "/memory.stat").c_str()};
  if (used.is_empty() || stat.is_empty()) {
    return;
  }
  const char* const inactive = group.is_v2 ? "inactive_file " : "total_inactive_file ";
  const char* const active = group.is_v2 ? "active_file " : "total_active_file ";
  const std::uint64_t cache = stat.number(inactive).value_or(0) + stat.number(active).value_or(0) +
                              droppable_by_kernel(group, stat);
  const std::uint64_t usage = std::strtoull(used.begin(), nullptr, 10);
  const std::uint64_t held = usage > cache ? usage - cache : 0;
  memory.total = std::min(memory.total, group.limit);
  memory.available = std::min(memory.available, group.limit > held ? group.limit - held : 0);
}

}  // namespace

std::optional<std::uint64_t> read_memory(pid_t pid) noexcept {
  const Text text = process_file(pid, "status");
  const auto anonymous = text.number("RssAnon:");
  if (!anonymous) {
    return std::nullopt;
  }
  return (*anonymous + text.number("RssShmem:").value_or(0) + text.number("VmSwap:").value_or(0)) *
         1024;
}

std::optional<std::uint64_t> read_proportional_memory(pid_t pid) noexcept {
  const Text text = process_file(pid, "smaps_rollup");
  const auto anonymous = text.number("Pss_Anon:");
  const auto all = anonymous ? anonymous : text.number("Pss:");  // before Linux 5.9
  if (!all) {
    return std::nullopt;
  }
  return (*all + text.number("Pss_Shmem:").value_or(0) + text.number("SwapPss:").value_or(0)) *
         1024;
}

std::optional<std::uint64_t> read_io(pid_t pid) noexcept {
  const Text text = process_file(pid, "io");
  const auto read = text.number("rchar:");
  return read ? std::optional{*read + text.number("wchar:").value_or(0)} : std::nullopt;
}

MachineMemory machine_memory() noexcept {
  static const LimitedGroup group = find_limited_group();
  const Text text{"/proc/meminfo"};
  MachineMemory memory;
  memory.total = text.number("MemTotal:").value_or(0) * 1024;
  memory.available = text.number("MemAvailable:").value_or(0) * 1024;
  const std::uint64_t swap = text.number("SwapTotal:").value_or(0);
  memory.swapped = (swap - std::min(swap, text.number("SwapFree:").value_or(swap))) * 1024;
  if (group.limit != 0) {
    apply(group, memory);
  }
  return memory;
}

Load machine_load() noexcept {
  const Text text{"/proc/loadavg"};
  Load load;
  load.average = std::strtod(text.begin(), nullptr);
  const char* const slash = std::strchr(text.begin(), '/');
  load.tasks = slash == nullptr ? 0 : std::strtoull(slash + 1, nullptr, 10);
  return load;
}

std::optional<double> memory_pressure() noexcept {
  const Text text{"/proc/pressure/memory"};
  const char* const average = std::strstr(text.begin(), "avg10=");
  return average == nullptr ? std::nullopt : std::optional{std::strtod(average + 6, nullptr)};
}

}  // namespace onelane::sys
