#include "core/sys/listeners.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

namespace onelane::sys {
namespace {

constexpr std::string_view kHead =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode";

TEST(TcpLineTest, AListenerOfIPv4) {
  const auto line = parse_tcp_line(
      "   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 "
      "31415 1 0000000000000000 100 0 0 10 0");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->port, 3000);
  EXPECT_TRUE(line->listens);
  EXPECT_EQ(line->inode, 31415U);
}

TEST(TcpLineTest, AListenerOfIPv6) {
  const auto line = parse_tcp_line(
      "  12: 00000000000000000000000001000000:FFFF 00000000000000000000000000000000:0000 0A "
      "00000000:00000000 00:00000000 00000000     0        0 18446744073709551615 1");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->port, 65535);
  EXPECT_TRUE(line->listens);
  EXPECT_EQ(line->inode, 18446744073709551615U);
}

TEST(TcpLineTest, AConnectionDoesNotListen) {
  const auto line = parse_tcp_line(
      "   1: 0100007F:0BB8 0100007F:D2F0 01 00000000:00000000 02:000A 00000000 1000 0 27182 2");
  ASSERT_TRUE(line);
  EXPECT_FALSE(line->listens);
}

TEST(TcpLineTest, OtherLinesAreNotASocket) {
  for (const std::string_view line :
       {std::string_view{}, kHead, std::string_view{"0: 0100007F:0BB8 00000000:0000 0A"},
        std::string_view{"0: 0100007F 00000000:0000 0A 0:0 0:0 0 0 0 1"},
        std::string_view{"0: 0100007F:10000 00000000:0000 0A 0:0 0:0 0 0 0 1"},
        std::string_view{"0: 0100007F:0BB8 00000000:0000 0A 0:0 0:0 0 0 0 -1"},
        std::string_view{"0: 0100007F:0BB8 00000000:0000 0A 0:0 0:0 0 0 0 1x"}}) {
    EXPECT_FALSE(parse_tcp_line(line)) << line;
  }
}

/// A TCP socket of this process and the port it is bound to.
struct Socket {
  explicit Socket(int family) : fd{::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in6 address{};
    address.sin6_family = static_cast<sa_family_t>(family);
    socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof address;
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port = ntohs(address.sin6_port);
    struct stat info {};
    EXPECT_EQ(::fstat(fd, &info), 0);
    inode = info.st_ino;
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { ::close(fd); }

  int fd;
  std::uint16_t port = 0;
  std::uint64_t inode = 0;
};

class ListenersTest : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Families, ListenersTest, testing::Values(AF_INET, AF_INET6));

TEST_P(ListenersTest, ASocketIsFoundOnceItListens) {
  const Socket socket{GetParam()};
  EXPECT_EQ(listeners_on(::getpid(), socket.port), std::vector<std::uint64_t>{});
  ASSERT_EQ(::listen(socket.fd, 1), 0);
  const auto found = listeners_on(::getpid(), socket.port);
  EXPECT_EQ(found, std::vector{socket.inode});
  EXPECT_TRUE(has_socket(::getpid(), *found));
  EXPECT_FALSE(has_socket(::getppid(), *found));
}

TEST(GoneListenersTest, AProcessThatIsGoneHasNone) {
  EXPECT_FALSE(listeners_on(0x3ffffff, 80));
  EXPECT_EQ(network_namespace(0x3ffffff), 0U);
  EXPECT_FALSE(has_socket(0x3ffffff, std::array<std::uint64_t, 1>{1}));
  EXPECT_NE(network_namespace(::getpid()), 0U);
}

}  // namespace
}  // namespace onelane::sys
