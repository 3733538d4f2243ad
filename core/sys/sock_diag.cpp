#include "core/sys/sock_diag.hpp"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "core/sys/file_descriptor.hpp"

namespace onelane::sys {
namespace {

enum class Answer { Partial, Whole, Refused };

/// Passes each socket described in one datagram to `take`: the data after its nlmsghdr.
template <class Socket, class Take>
Answer take_answer(std::string_view text, const Take& take) {
  while (text.size() >= sizeof(nlmsghdr)) {
    nlmsghdr head{};
    std::memcpy(&head, text.data(), sizeof head);
    if (head.nlmsg_type == NLMSG_DONE) {
      return Answer::Whole;
    }
    if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY || head.nlmsg_len > text.size() ||
        head.nlmsg_len < NLMSG_HDRLEN + sizeof(Socket)) {
      return Answer::Refused;
    }
    const std::string_view body = text.substr(NLMSG_HDRLEN, head.nlmsg_len - NLMSG_HDRLEN);
    Socket socket{};
    std::memcpy(&socket, body.data(), sizeof socket);
    take(socket, body);
    text.remove_prefix(std::min<std::size_t>(text.size(), NLMSG_ALIGN(head.nlmsg_len)));
  }
  return Answer::Partial;
}

/// Asks for all sockets that `request` describes. True when the kernel has reported all of them.
template <class Socket, class Request, class Take>
bool dump(const Request& request, const Take& take) {
  const FileDescriptor netlink =
      lift(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  struct {
    nlmsghdr head;
    Request body;
  } ask{};
  ask.head.nlmsg_len = sizeof ask;
  ask.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  ask.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  ask.body = request;
  if (!netlink.is_open() ||
      ::send(netlink.get(), &ask, sizeof ask, 0) != static_cast<ssize_t>(sizeof ask)) {
    return false;
  }
  char text[32768];  // the largest message the kernel sends at once
  Answer answer = Answer::Partial;
  while (answer == Answer::Partial) {
    const ssize_t got = ::recv(netlink.get(), text, sizeof text, MSG_DONTWAIT);
    answer = got > 0 ? take_answer<Socket>({text, static_cast<std::size_t>(got)}, take)
                     : Answer::Refused;
  }
  return answer == Answer::Whole;
}

/// The peer in the attributes of a UNIX socket; 0 for a socket with a name or without a peer.
std::uint64_t peer_in(std::string_view body) {
  std::uint64_t peer = 0;
  for (std::size_t at = NLMSG_ALIGN(sizeof(unix_diag_msg)); at + sizeof(rtattr) <= body.size();) {
    rtattr attribute{};
    std::memcpy(&attribute, body.data() + at, sizeof attribute);
    if (attribute.rta_len < sizeof attribute || at + attribute.rta_len > body.size() ||
        attribute.rta_type == UNIX_DIAG_NAME) {
      return 0;
    }
    std::uint32_t value = 0;
    if (attribute.rta_type == UNIX_DIAG_PEER && attribute.rta_len >= RTA_LENGTH(0) + sizeof value) {
      std::memcpy(&value, body.data() + at + RTA_LENGTH(0), sizeof value);
      peer = value;
    }
    at += RTA_ALIGN(attribute.rta_len);
  }
  return peer;
}

bool add_listeners(int family, std::uint16_t port, std::vector<std::uint64_t>& inodes) {
  inet_diag_req_v2 request{};
  request.sdiag_family = static_cast<std::uint8_t>(family);
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = 1U << TCP_LISTEN;
  request.id.idiag_sport = htons(port);
  return dump<inet_diag_msg>(request, [&](const inet_diag_msg& socket, std::string_view /*body*/) {
    if (ntohs(socket.id.idiag_sport) == port && socket.idiag_inode != 0) {
      inodes.push_back(socket.idiag_inode);
    }
  });
}

}  // namespace

std::unordered_map<std::uint64_t, std::uint64_t> unix_peers() {
  unix_diag_req request{};
  request.sdiag_family = AF_UNIX;
  request.udiag_states = ~0U;
  request.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER;
  std::unordered_map<std::uint64_t, std::uint64_t> peers;
  const auto add = [&peers](const unix_diag_msg& socket, std::string_view body) {
    if (const std::uint64_t peer = peer_in(body); peer != 0) {
      peers.emplace(socket.udiag_ino, peer);
    }
  };
  (void)dump<unix_diag_msg>(request, add);  // a partial answer is still correct
  return peers;
}

std::optional<std::vector<std::uint64_t>> tcp_listeners(std::uint16_t port) {
  std::vector<std::uint64_t> inodes;
  if (!add_listeners(AF_INET, port, inodes)) {
    return std::nullopt;
  }
  (void)add_listeners(AF_INET6, port, inodes);  // IPv6 may be disabled
  return inodes;
}

}  // namespace onelane::sys
