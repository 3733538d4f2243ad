#include "core/sys/process.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "core/sys/file_descriptor.hpp"
#include "core/sys/hex.hpp"

namespace onelane::sys {
namespace {

/// Reads a small /proc file into `buffer` and NUL-terminates it; returns the bytes read, or -1.
long read_proc(const char* path, char* buffer, std::size_t size) noexcept {
  // Not lifted: it is closed before any other code can see the number, and this is the hottest
  // read.
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return -1;
  }
  const long got = read_up_to(fd, buffer, size - 1);
  ::close(fd);
  buffer[got > 0 ? got : 0] = '\0';
  return got;
}

/// Reads a decimal number at `at`, which moves behind it. Written out, like ProcPath: strtoll(3)
/// and snprintf(3) touch more memory than a short call otherwise does.
std::uint64_t read_number(const char*& at) noexcept {
  while (*at == ' ') {
    ++at;
  }
  const bool is_negative = *at == '-';
  at += is_negative ? 1 : 0;
  std::uint64_t value = 0;
  for (; *at >= '0' && *at <= '9'; ++at) {
    value = value * 10 + static_cast<std::uint64_t>(*at - '0');
  }
  return is_negative ? 0 - value : value;
}

/// "/proc/PID/FILE".
class ProcPath {
 public:
  ProcPath(pid_t pid, std::string_view file) noexcept {
    std::array<char, 10> digits{};
    std::size_t count = 0;
    auto rest = static_cast<std::uint32_t>(pid);
    do {
      digits[count++] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest != 0);
    append("/proc/");
    while (count > 0) {
      append({&digits[--count], 1});
    }
    append("/");
    append(file);
  }
  [[nodiscard]] const char* text() const noexcept { return text_.data(); }

 private:
  void append(std::string_view part) noexcept {
    std::memcpy(text_.data() + length_, part.data(), part.size());
    length_ += part.size();
  }
  std::array<char, 40> text_{};
  std::size_t length_ = 0;
};

/// The space-separated numbers of /proc/PID/stat after the name in parentheses.
class Fields {
 public:
  explicit Fields(const char* text) noexcept : at_{text} {}
  std::uint64_t next() noexcept { return read_number(at_); }
  void skip(int count) noexcept {
    while (count-- > 0) {
      (void)next();
    }
  }

 private:
  const char* at_;
};

std::optional<ProcessStat> parse_stat(const char* text) noexcept {
  const char* open = std::strchr(text, '(');
  const char* close = std::strrchr(text, ')');  // the name itself may hold ") ("
  if (open == nullptr || close == nullptr || close < open || close[1] == '\0') {
    return std::nullopt;
  }
  ProcessStat out;
  const char* start = text;
  out.id.pid = static_cast<pid_t>(read_number(start));
  const auto length = static_cast<std::size_t>(close - open - 1);
  std::memcpy(out.name.data(), open + 1, length < 15 ? length : 15);
  out.state = close[2];
  Fields fields{close + 3};
  out.parent = static_cast<pid_t>(fields.next());
  out.group = static_cast<pid_t>(fields.next());
  out.session = static_cast<pid_t>(fields.next());
  out.tty = static_cast<int>(fields.next());
  out.tty_group = static_cast<pid_t>(fields.next());
  constexpr std::uint64_t kExiting = 0x4;  // PF_EXITING, include/linux/sched.h
  constexpr std::uint64_t kForked = 0x40;  // PF_FORKNOEXEC
  const std::uint64_t flags = fields.next();
  out.is_exiting = (flags & kExiting) != 0;
  out.has_not_executed = (flags & kForked) != 0;
  fields.skip(4);  // page faults, fields 10 to 13
  out.cpu_ticks = fields.next();
  out.cpu_ticks += fields.next();
  fields.skip(4);  // children's times, priority, nice: fields 16 to 19
  out.threads = static_cast<int>(fields.next());
  fields.skip(1);  // itrealvalue, field 21
  out.id.start = fields.next();
  fields.skip(1);  // vsize, field 23
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  out.resident = fields.next() * page;
  return out;
}

/// Appends the pids in an open `children` file.
void append_children(int fd, std::vector<pid_t>& out) {
  char buffer[4096];
  long pid = 0;
  for (long got = 0; (got = read_up_to(fd, buffer, sizeof buffer)) > 0;) {
    for (long i = 0; i < got; ++i) {
      if (buffer[i] >= '0' && buffer[i] <= '9') {
        pid = pid * 10 + (buffer[i] - '0');
      } else if (pid != 0) {
        out.push_back(static_cast<pid_t>(pid));
        pid = 0;
      }
    }
  }
}

/// Appends the children of the first thread of `pid`; false when they cannot be read.
bool append_children_of_leader(pid_t pid, std::vector<pid_t>& out) {
  char path[96];
  std::snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return false;
  }
  append_children(fd, out);
  ::close(fd);
  return true;
}

/// The `children` files need CONFIG_PROC_CHILDREN (proc(5)).
bool has_children_files() noexcept {
  static const bool known = ::access("/proc/thread-self/children", F_OK) == 0;
  return known;
}

std::vector<ProcessStat> descendants_by_scan(pid_t root) {
  std::vector<ProcessStat> all;
  for (const pid_t pid : all_pids()) {
    if (auto stat = read_stat(pid)) {
      all.push_back(*stat);
    }
  }
  std::unordered_multimap<pid_t, const ProcessStat*> by_parent;
  for (const auto& stat : all) {
    by_parent.emplace(stat.parent, &stat);
  }
  std::vector<ProcessStat> out;
  std::vector<pid_t> open{root};
  while (!open.empty() && out.size() <= all.size()) {
    const pid_t parent = open.back();
    open.pop_back();
    const auto [first, last] = by_parent.equal_range(parent);
    for (auto it = first; it != last; ++it) {
      out.push_back(*it->second);
      open.push_back(it->second->id.pid);
    }
  }
  return out;
}

constexpr rlim_t kLow = 256;

std::uint64_t threads_of(uid_t user) {
  std::uint64_t count = 0;
  for (const pid_t pid : all_pids()) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%d", pid);
    struct stat info {};
    if (::stat(path, &info) == 0 && info.st_uid == user) {
      const auto stat = read_stat(pid);
      count += stat && stat->threads > 0 ? static_cast<std::uint64_t>(stat->threads) : 1;
    }
  }
  return count;
}

std::uint64_t read_boot_id() noexcept {
  char text[64];
  if (read_proc("/proc/sys/kernel/random/boot_id", text, sizeof text) < 18) {
    return 0;
  }
  std::uint64_t value = 0;
  int digits = 0;
  for (const char* at = text; *at != '\0' && digits < 16; ++at) {
    if (*at != '-') {
      value = value << 4U | hex_digit(*at).value_or(0);
      ++digits;
    }
  }
  return value;
}

}  // namespace

std::optional<ProcessStat> read_stat(pid_t pid) noexcept {
  // One read(2) gets all of it: 52 numbers and a name of 15 bytes.
  char text[1024];
  const int fd = ::open(ProcPath{pid, "stat"}.text(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return std::nullopt;
  }
  ssize_t got = 0;
  do {
    got = ::read(fd, text, sizeof text - 1);
  } while (got < 0 && errno == EINTR);
  ::close(fd);
  if (got <= 0) {
    return std::nullopt;
  }
  text[got] = '\0';
  return parse_stat(text);
}

ProcessId self_id() noexcept {
  static ProcessId known;  // of this process, or of the one that forked us
  const pid_t pid = ::getpid();
  if (known.pid != pid) {
    const auto stat = read_stat(pid);
    known = stat ? stat->id : ProcessId{pid, 0};
  }
  return known;
}

bool proc_is_ours() noexcept {
  char pid[16] = {};
  const char* at = pid;
  return ::readlink("/proc/self", pid, sizeof pid - 1) > 0 &&
         static_cast<pid_t>(read_number(at)) == ::getpid();
}

bool exists(const ProcessId& id) noexcept {
  if (id.pid <= 0) {
    return false;
  }
  const auto stat = read_stat(id.pid);
  return stat && stat->id == id;
}

Ancestry ancestry_of(pid_t pid, const std::function<bool(const ProcessStat&)>& is_enough) {
  Ancestry out;
  auto stat = read_stat(pid);
  for (int level = 0; level < 64 && stat; ++level) {
    if (stat->parent <= 0) {
      out.complete = true;
      break;
    }
    const pid_t parent = stat->parent;
    stat = read_stat(parent);
    if (stat) {
      out.chain.push_back(*stat);
      if (is_enough && is_enough(*stat)) {
        break;
      }
    }
  }
  return out;
}

std::vector<ProcEntry> listed_processes() {
  std::vector<ProcEntry> out;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) {
    return out;
  }
  while (const dirent* entry = ::readdir(proc)) {
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') {
      out.push_back({static_cast<pid_t>(std::strtol(entry->d_name, nullptr, 10)), entry->d_ino});
    }
  }
  ::closedir(proc);
  return out;
}

std::vector<pid_t> all_pids() {
  std::vector<pid_t> out;
  for (const ProcEntry& listed : listed_processes()) {
    out.push_back(listed.pid);
  }
  return out;
}

std::optional<std::string> initial_environment(pid_t pid, std::string_view name) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/environ", pid);
  const FileDescriptor fd = try_open_file(path, O_RDONLY);
  if (!fd.is_open()) {
    return std::nullopt;
  }
  std::string text;
  char chunk[16384];
  for (long got = 0; (got = read_up_to(fd.get(), chunk, sizeof chunk)) > 0;) {
    text.append(chunk, static_cast<std::size_t>(got));
    if (text.size() > (4U << 20)) {
      break;  // as large as ARG_MAX; we set the marker early in the environment
    }
  }
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    const std::string_view entry{text.data() + at, end - at};
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
      return std::string{entry.substr(name.size() + 1)};
    }
    at = end + 1;
  }
  return std::nullopt;
}

std::optional<uid_t> real_user(pid_t pid) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/status", pid);
  char text[2048];  // the line is among the first ten
  if (read_proc(path, text, sizeof text) <= 0) {
    return std::nullopt;
  }
  const char* line = std::strstr(text, "\nUid:\t");
  return line == nullptr ? std::nullopt
                         : std::optional{static_cast<uid_t>(std::strtoul(line + 6, nullptr, 10))};
}

std::vector<std::string> arguments(pid_t pid) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
  std::string text(16384, '\0');
  const long got = read_proc(path, text.data(), text.size());
  std::vector<std::string> out;
  for (std::size_t at = 0; got > 0 && at < static_cast<std::size_t>(got);) {
    out.emplace_back(text.c_str() + at);
    at += out.back().size() + 1;
  }
  return out;
}

std::string command_line(pid_t pid, std::size_t limit) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
  std::string out(limit + 1, '\0');
  const long got = read_proc(path, out.data(), out.size());
  out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!out.empty() && out.back() == '\0') {
    out.pop_back();
  }
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    c = byte == 0 ? ' ' : (byte < 32 || byte >= 127 ? '?' : c);
  }
  if (out.empty()) {
    const auto stat = read_stat(pid);
    out = stat ? "[" + std::string{stat->name.data()} + "]" : "[gone]";
  }
  return out;
}

std::uint64_t pid_namespace() noexcept {
  static const std::uint64_t known = [] {
    constexpr std::uint64_t kInitial = 0xeffffffaU;  // PROC_TIME_INIT_INO, include/linux/proc_ns.h
    struct stat info {};
    const bool shifts = ::stat("/proc/self/ns/time", &info) == 0 && info.st_ino != kInitial;
    return pid_namespace_alone() | (shifts ? static_cast<std::uint64_t>(info.st_ino) << 32U : 0);
  }();
  return known;
}

std::uint64_t pid_namespace_alone() noexcept {
  static const std::uint64_t known = [] {
    struct stat info {};
    return ::stat("/proc/self/ns/pid", &info) == 0 ? std::uint64_t{info.st_ino} : 0;
  }();
  return known;
}

std::uint64_t boot_id() noexcept {
  static const std::uint64_t known = read_boot_id();
  return known;
}

bool is_stopped(const ProcessId& id) {
  const auto stat = id.pid > 0 ? read_stat(id.pid) : std::nullopt;
  return stat && stat->id == id && is_stop_state(stat->state);
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> out;
  char path[96];
  if (!has_children_files()) {
    for (const pid_t other : all_pids()) {
      if (const auto stat = read_stat(other); stat && stat->parent == pid) {
        out.push_back(other);
      }
    }
    return out;
  }
  std::snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR* threads = ::opendir(path);
  if (threads == nullptr) {
    return out;  // gone: it has no children left
  }
  while (const dirent* entry = ::readdir(threads)) {
    if (entry->d_name[0] != '.') {
      std::snprintf(path, sizeof path, "/proc/%d/task/%.20s/children", pid, entry->d_name);
      // A thread that has just ended has none.
      if (const int fd = ::open(path, O_RDONLY | O_CLOEXEC); fd >= 0) {
        append_children(fd, out);
        ::close(fd);
      }
    }
  }
  ::closedir(threads);
  return out;
}

std::vector<pid_t> own_children() {
  std::vector<pid_t> out;
  // Cheaper than the read that follows, and most processes have none.
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 && errno == ECHILD) {
    return out;
  }
  const int fd = ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return children_of(::getpid());
  }
  append_children(fd, out);
  ::close(fd);
  return out;
}

std::vector<ProcessStat> descendants_of(pid_t root) {
  if (!has_children_files()) {
    return descendants_by_scan(root);
  }
  std::vector<ProcessStat> out;
  std::vector<pid_t> children = children_of(root);
  for (std::size_t next = 0;; ++next) {
    for (const pid_t child : children) {
      if (auto stat = read_stat(child)) {
        out.push_back(*stat);
      }
    }
    if (next == out.size()) {
      return out;
    }
    children.clear();
    // Nine in ten processes have one thread, whose list can be read without reading a directory.
    const ProcessStat parent = out[next];
    if (parent.threads != 1 || !append_children_of_leader(parent.id.pid, children)) {
      children = children_of(parent.id.pid);
    }
  }
}

std::optional<std::uint64_t> process_room() {
  const uid_t user = ::getuid();
  rlimit limit{};
  if (user == 0 || ::getrlimit(RLIMIT_NPROC, &limit) != 0 || limit.rlim_cur >= kLow) {
    return std::nullopt;  // RLIM_INFINITY is the highest number
  }
  const std::uint64_t used = threads_of(user);
  return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

}  // namespace onelane::sys
