#include "core/sys/streams.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_set>

#include "core/sys/process.hpp"
#include "core/sys/sock_diag.hpp"

namespace onelane::sys {
namespace {

/// The number in "pipe:[123]" or "socket:[123]"; nullopt for another link.
std::optional<std::uint64_t> inode_in(std::string_view link, std::string_view kind) noexcept {
  if (!link.starts_with(kind) || !link.ends_with(']')) {
    return std::nullopt;
  }
  link.remove_prefix(kind.size());
  link.remove_suffix(1);
  std::uint64_t inode = 0;
  const auto [end, error] = std::from_chars(link.data(), link.data() + link.size(), inode);
  return error == std::errc{} && end == link.data() + link.size() ? std::optional{inode}
                                                                  : std::nullopt;
}

/// The descriptors of one process, one after another.
class Descriptors {
 public:
  explicit Descriptors(pid_t pid) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%d/fd", pid);
    directory_.reset(::opendir(path));
  }

  /// The next descriptor; false at the end.
  bool next() {
    const dirent* entry = nullptr;
    do {
      entry = directory_ ? ::readdir(directory_.get()) : nullptr;
      if (entry == nullptr) {
        return false;
      }
    } while (entry->d_name[0] == '.');
    name_ = entry->d_name;
    const ssize_t length = ::readlinkat(::dirfd(directory_.get()), name_, link_, sizeof link_);
    length_ = length > 0 ? static_cast<std::size_t>(length) : 0;
    return true;
  }

  [[nodiscard]] int number() const noexcept { return static_cast<int>(std::atol(name_)); }
  [[nodiscard]] std::string_view link() const noexcept { return {link_, length_}; }
  /// What it was opened for, which the permission bits of the link show (proc(5)).
  [[nodiscard]] mode_t mode() const noexcept { return stat_of(AT_SYMLINK_NOFOLLOW).st_mode; }
  /// The file behind it.
  [[nodiscard]] struct stat file() const noexcept { return stat_of(0); }

 private:
  [[nodiscard]] struct stat stat_of(int flags) const noexcept {
    struct stat info {};
    (void)::fstatat(::dirfd(directory_.get()), name_, &info, flags);
    return info;
  }

  std::unique_ptr<DIR, int (*)(DIR*)> directory_{nullptr, &::closedir};
  const char* name_ = "";
  char link_[256];
  std::size_t length_ = 0;
};

void add_pipe(const Descriptors& at, const Channel& channel, std::vector<ChannelEnd>& out) {
  const mode_t mode = at.mode();
  if ((mode & S_IRUSR) != 0) {
    out.push_back({channel, at.number(), false});
  }
  if ((mode & S_IWUSR) != 0) {
    out.push_back({channel, at.number(), true});
  }
}

void add_socket(const Descriptors& at, std::uint64_t inode, SocketPairs& pairs,
                std::vector<ChannelEnd>& out) {
  const std::uint64_t peer = pairs.peer_of(inode);
  if (peer == 0) {
    return;
  }
  const int number = at.number();
  if (number != 0) {
    out.push_back({{0, inode}, number, true});
  }
  if (number != 1 && number != 2) {
    out.push_back({{0, peer}, number, false});
  }
}

bool is_shell(pid_t pid) noexcept {
  constexpr std::string_view kShells[] = {"ash", "bash", "busybox", "dash", "fish",
                                          "ksh", "mksh", "sh",      "yash", "zsh"};
  const auto stat = read_stat(pid);
  return stat && std::ranges::find(kShells, stat->name.data()) != std::end(kShells);
}

}  // namespace

std::uint64_t SocketPairs::peer_of(std::uint64_t inode) {
  if (!was_read_) {
    was_read_ = true;
    peers_ = unix_peers();
  }
  const auto found = peers_.find(inode);
  // The peer must not have a name either.
  const auto back = found == peers_.end() ? peers_.end() : peers_.find(found->second);
  return back != peers_.end() && back->second == inode ? found->second : 0;
}

std::vector<ChannelEnd> channel_ends(pid_t pid, SocketPairs& pairs) {
  // All pipes without a name are on one internal file system, whose device number is not needed.
  constexpr std::uint64_t kPipes = ~std::uint64_t{0};
  std::vector<ChannelEnd> out;
  for (Descriptors at{pid}; at.next();) {
    if (const auto pipe = inode_in(at.link(), "pipe:[")) {
      add_pipe(at, {kPipes, *pipe}, out);
    } else if (const auto socket = inode_in(at.link(), "socket:[")) {
      add_socket(at, *socket, pairs, out);
    } else if (at.link().starts_with('/')) {  // anywhere, /dev/shm included
      if (const struct stat file = at.file(); S_ISFIFO(file.st_mode)) {
        add_pipe(at, {file.st_dev, file.st_ino}, out);
      }
    }
  }
  return out;
}

void Flow::add(pid_t pid, Role role) {
  const auto [at, is_new] = processes_.try_emplace(pid);
  if (!is_new) {
    return;
  }
  at->second = {role, role == Role::Started && is_shell(pid), channel_ends(pid, pairs_)};
  note(pid, at->second);
}

bool Flow::counts(const Process& process, const ChannelEnd& end) noexcept {
  constexpr int kFirstOfShells = 10;
  const bool is_given = end.is_standard() || (process.is_shell && end.descriptor >= kFirstOfShells);
  return process.role == Role::Part || (process.role == Role::Started && is_given);
}

void Flow::note(pid_t pid, const Process& process) {
  for (const ChannelEnd& end : process.ends) {
    Readers& readers = readers_[end.channel];
    readers.is_circuit =
        readers.is_circuit || std::ranges::any_of(process.ends, [&](const ChannelEnd& other) {
          return other.channel == end.channel && other.writes != end.writes;
        });
    if (!end.writes && counts(process, end)) {
      readers.list.push_back({pid, end.is_standard()});
    }
  }
}

bool Flow::any_ends(std::span<const pid_t> pids) const {
  return std::ranges::any_of(pids, [this](pid_t pid) {
    const auto at = processes_.find(pid);
    return at != processes_.end() && !at->second.ends.empty();
  });
}

bool Flow::leads(std::span<const pid_t> from, std::span<const pid_t> to) const {
  std::vector<pid_t> open{from.begin(), from.end()};
  std::unordered_set<pid_t> seen{from.begin(), from.end()};
  for (std::size_t next = 0; next < open.size(); ++next) {
    const auto process = processes_.find(open[next]);
    if (process == processes_.end()) {
      continue;
    }
    for (const ChannelEnd& end : process->second.ends) {
      const bool sends = end.writes && counts(process->second, end);
      const auto readers = sends ? readers_.find(end.channel) : readers_.end();
      if (readers == readers_.end() || readers->second.is_circuit) {
        continue;
      }
      for (const Reader& reader : readers->second.list) {
        if (!end.is_standard() && !reader.is_standard) {
          continue;
        }
        if (std::ranges::find(to, reader.pid) != to.end()) {
          return true;
        }
        if (seen.insert(reader.pid).second) {
          open.push_back(reader.pid);
        }
      }
    }
  }
  return false;
}

bool Flow::feeds(pid_t writer, pid_t reader) const {
  const auto from = processes_.find(writer);
  const auto to = processes_.find(reader);
  if (writer == reader || from == processes_.end() || to == processes_.end()) {
    return false;
  }
  return std::ranges::any_of(to->second.ends, [&](const ChannelEnd& input) {
    const auto known = readers_.find(input.channel);
    return input.descriptor == 0 && !input.writes && !known->second.is_circuit &&
           std::ranges::any_of(from->second.ends, [&](const ChannelEnd& end) {
             return end.writes && end.channel == input.channel;
           });
  });
}

}  // namespace onelane::sys
