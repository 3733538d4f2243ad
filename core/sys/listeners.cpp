#include "core/sys/listeners.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "core/sys/file_descriptor.hpp"

namespace onelane::sys {
namespace {

constexpr std::size_t kFieldState = 3;
constexpr std::size_t kFieldInode = 9;
constexpr std::string_view kListens = "0A";  ///< TCP_LISTEN, in hexadecimal as all of the line.

/// The next word between blanks; empty at the end.
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

enum class Answer { Partial, Whole, Refused };

/// Adds the sockets of one answer to ask_for_listeners.
Answer add_answered(std::string_view text, std::uint16_t port, std::vector<std::uint64_t>& inodes) {
  while (text.size() >= sizeof(nlmsghdr)) {
    nlmsghdr head{};
    std::memcpy(&head, text.data(), sizeof head);
    if (head.nlmsg_type == NLMSG_DONE) {
      return Answer::Whole;
    }
    inet_diag_msg socket{};
    if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY || head.nlmsg_len > text.size() ||
        head.nlmsg_len < NLMSG_HDRLEN + sizeof socket) {
      return Answer::Refused;
    }
    std::memcpy(&socket, text.data() + NLMSG_HDRLEN, sizeof socket);
    if (ntohs(socket.id.idiag_sport) == port && socket.idiag_inode != 0) {
      inodes.push_back(socket.idiag_inode);
    }
    text.remove_prefix(std::min<std::size_t>(text.size(), NLMSG_ALIGN(head.nlmsg_len)));
  }
  return Answer::Partial;
}

/// Asks the kernel for those that listen alone; a table of /proc walks over all connections that
/// there could be, milliseconds on a large machine. False where it does not tell.
bool ask_for_listeners(int netlink, int family, std::uint16_t port,
                       std::vector<std::uint64_t>& inodes) {
  struct {
    nlmsghdr head;
    inet_diag_req_v2 body;
  } ask{};
  ask.head.nlmsg_len = sizeof ask;
  ask.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  ask.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  ask.body.sdiag_family = static_cast<std::uint8_t>(family);
  ask.body.sdiag_protocol = IPPROTO_TCP;
  ask.body.idiag_states = 1U << TCP_LISTEN;
  ask.body.id.idiag_sport = htons(port);
  if (::send(netlink, &ask, sizeof ask, 0) != static_cast<ssize_t>(sizeof ask)) {
    return false;
  }
  Answer answer = Answer::Partial;
  while (answer == Answer::Partial) {
    char text[8192];
    const ssize_t got = ::recv(netlink, text, sizeof text, MSG_DONTWAIT);
    answer = got > 0 ? add_answered({text, static_cast<std::size_t>(got)}, port, inodes)
                     : Answer::Refused;
  }
  return answer == Answer::Whole;
}

/// Of our own network namespace; nothing where the kernel has no sock_diag(7).
std::optional<std::vector<std::uint64_t>> listeners_here(std::uint16_t port) {
  const FileDescriptor netlink =
      lift(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  std::vector<std::uint64_t> inodes;
  if (!netlink.is_open() || !ask_for_listeners(netlink.get(), AF_INET, port, inodes)) {
    return std::nullopt;
  }
  (void)ask_for_listeners(netlink.get(), AF_INET6, port, inodes);  // may be switched off
  return inodes;
}

/// The listeners of one table; false when it cannot be opened.
bool add_listeners(const char* path, std::uint16_t port, std::vector<std::uint64_t>& inodes) {
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
        return true;  // the others have begun
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
    if (auto found = listeners_here(port)) {
      std::ranges::sort(*found);
      return found;
    }
  }
  std::vector<std::uint64_t> inodes;
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/net/tcp", pid);
  const bool is_there = add_listeners(path, port, inodes);
  std::snprintf(path, sizeof path, "/proc/%d/net/tcp6", pid);
  if (!add_listeners(path, port, inodes) && !is_there) {  // IPv6 may be switched off
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
