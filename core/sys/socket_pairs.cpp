#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include <cstring>
#include <string_view>

#include "core/sys/file_descriptor.hpp"
#include "core/sys/streams.hpp"

namespace onelane::sys {
namespace {

/// The peer of the socket that one answer is about; 0 for one with a name or without a peer.
std::uint64_t peer_in(const nlmsghdr& head, std::string_view body) {
  constexpr std::size_t kAttributesAt = NLMSG_ALIGN(sizeof(unix_diag_msg));
  std::uint64_t peer = 0;
  std::size_t left = head.nlmsg_len - NLMSG_HDRLEN;
  for (std::size_t at = kAttributesAt; at + sizeof(rtattr) <= left;) {
    rtattr attribute{};
    std::memcpy(&attribute, body.data() + at, sizeof attribute);
    if (attribute.rta_len < sizeof attribute || at + attribute.rta_len > left) {
      return 0;
    }
    if (attribute.rta_type == UNIX_DIAG_NAME) {
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

/// Adds what one datagram tells; false at the end of the answer.
bool add_answered(std::string_view text, std::unordered_map<std::uint64_t, std::uint64_t>& peers) {
  while (text.size() >= sizeof(nlmsghdr)) {
    nlmsghdr head{};
    std::memcpy(&head, text.data(), sizeof head);
    if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY || head.nlmsg_len > text.size() ||
        head.nlmsg_len < NLMSG_HDRLEN + sizeof(unix_diag_msg)) {
      return false;
    }
    const std::string_view body = text.substr(NLMSG_HDRLEN);
    unix_diag_msg socket{};
    std::memcpy(&socket, body.data(), sizeof socket);
    if (const std::uint64_t peer = peer_in(head, body); peer != 0) {
      peers.emplace(socket.udiag_ino, peer);
    }
    text.remove_prefix(std::min<std::size_t>(text.size(), NLMSG_ALIGN(head.nlmsg_len)));
  }
  return true;
}

std::unordered_map<std::uint64_t, std::uint64_t> ask_for_peers() {
  std::unordered_map<std::uint64_t, std::uint64_t> peers;
  const FileDescriptor netlink =
      lift(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  struct {
    nlmsghdr head;
    unix_diag_req body;
  } ask{};
  ask.head.nlmsg_len = sizeof ask;
  ask.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  ask.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  ask.body.sdiag_family = AF_UNIX;
  ask.body.udiag_states = ~0U;
  ask.body.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER;
  if (!netlink.is_open() ||
      ::send(netlink.get(), &ask, sizeof ask, 0) != static_cast<ssize_t>(sizeof ask)) {
    return peers;
  }
  char text[32768];  // the largest the kernel sends at once
  ssize_t got = 0;
  do {
    got = ::recv(netlink.get(), text, sizeof text, MSG_DONTWAIT);
  } while (got > 0 && add_answered({text, static_cast<std::size_t>(got)}, peers));
  return peers;
}

}  // namespace

std::uint64_t SocketPairs::peer_of(std::uint64_t inode) {
  if (!was_read_) {
    was_read_ = true;
    peers_ = ask_for_peers();
  }
  const auto found = peers_.find(inode);
  // The other one must have no name either.
  const auto back = found == peers_.end() ? peers_.end() : peers_.find(found->second);
  return back != peers_.end() && back->second == inode ? found->second : 0;
}

}  // namespace onelane::sys
