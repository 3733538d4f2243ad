#include "core/sys/listeners.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>

#include "core/sys/file_descriptor.hpp"
#include "core/sys/sock_diag.hpp"

namespace onelane::sys {
namespace {

constexpr std::size_t kFieldState = 3;
constexpr std::size_t kFieldInode = 9;
constexpr std::string_view kListens = "0A";  ///< TCP_LISTEN in hexadecimal, as in the table.

/// The next word of a space-separated line; empty at the end.
std::string_view take_word(std::string_view& text) noexcept {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  text.remove_prefix(begin);
  const std::string_view word = text.substr(0, std::min(text.find(' '), text.size()));
  text.remove_prefix(word.size());
  return word;
}

template <class Number>
bool read_number(std::string_view text, Number& out, int base) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

/// The listeners of one table; false when it cannot be opened.
bool add_listeners_in(const char* path, std::uint16_t port, std::vector<std::uint64_t>& inodes) {
  const FileDescriptor file = try_open_file(path, O_RDONLY);
  if (!file.is_open()) {
    return false;
  }
  std::string text;
  char chunk[16384];
  for (long got = 0; (got = read_up_to(file.get(), chunk, sizeof chunk)) > 0;) {
    text.append(chunk, static_cast<std::size_t>(got));
    std::string_view rest{text};
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      const auto line = parse_tcp_line(rest.substr(0, end));
      if (line && !line->listens) {
        return true;  // listeners come first in the table
      }
      if (line && line->port == port && line->inode != 0) {
        inodes.push_back(line->inode);
      }
      rest.remove_prefix(end + 1);
    }
    text.erase(0, text.size() - rest.size());
  }
  return true;
}

}  // namespace

std::optional<TcpLine> parse_tcp_line(std::string_view line) noexcept {
  TcpLine out;
  for (std::size_t field = 0; field <= kFieldInode; ++field) {
    const std::string_view word = take_word(line);
    const std::size_t colon = word.rfind(':');
    if (field == 0 && (word.empty() || colon != word.size() - 1)) {
      return std::nullopt;
    }
    if (field == 1 &&
        (colon == std::string_view::npos || !read_number(word.substr(colon + 1), out.port, 16))) {
      return std::nullopt;
    }
    if (field == kFieldState) {
      out.listens = word == kListens;
    }
    if (field == kFieldInode && !read_number(word, out.inode, 10)) {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<std::vector<std::uint64_t>> listeners_on(pid_t pid, std::uint16_t port) {
  if (network_namespace(pid) == network_namespace(::getpid())) {
    if (auto found = tcp_listeners(port)) {
      std::ranges::sort(*found);
      return found;
    }
  }
  std::vector<std::uint64_t> inodes;
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/net/tcp", pid);
  const bool is_there = add_listeners_in(path, port, inodes);
  std::snprintf(path, sizeof path, "/proc/%d/net/tcp6", pid);
  if (!add_listeners_in(path, port, inodes) && !is_there) {  // IPv6 may be switched off
    return std::nullopt;
  }
  std::ranges::sort(inodes);
  return inodes;
}

bool has_socket(pid_t pid, std::span<const std::uint64_t> inodes) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/fd", pid);
  const std::unique_ptr<DIR, int (*)(DIR*)> directory{::opendir(path), &::closedir};
  if (!directory) {
    return false;
  }
  constexpr std::string_view kSocket = "socket:[";
  while (const dirent* entry = ::readdir(directory.get())) {
    char target[64];
    const ssize_t length =
        ::readlinkat(::dirfd(directory.get()), entry->d_name, target, sizeof target);
    std::string_view link{target, length > 0 ? static_cast<std::size_t>(length) : 0};
    std::uint64_t inode = 0;
    if (link.starts_with(kSocket) && link.ends_with(']') &&
        read_number(link.substr(kSocket.size(), link.size() - kSocket.size() - 1), inode, 10) &&
        std::ranges::binary_search(inodes, inode)) {
      return true;
    }
  }
  return false;
}

std::uint64_t network_namespace(pid_t pid) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
  struct stat info {};
  return ::stat(path, &info) == 0 ? info.st_ino : 0;
}

}  // namespace onelane::sys
