#include "core/sys/streams.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace onelane::sys {
namespace {

using Ends = std::array<int, 2>;

/// Maps a descriptor in a child to ours; every other one above 2 is closed in the child.
using Wiring = std::map<int, int>;

class FlowTest : public testing::Test {
 protected:
  FlowTest() {
    char name[] = "/tmp/onelane-flow-XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  ~FlowTest() override {
    for (const pid_t child : children_) {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
    for (const int fd : open_) {
      ::close(fd);
    }
    std::filesystem::remove_all(directory_);
  }

  Ends pipe() {
    Ends ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    open_.insert(open_.end(), ends.begin(), ends.end());
    return ends;
  }
  Ends socket_pair() {
    Ends ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    open_.insert(open_.end(), ends.begin(), ends.end());
    return ends;
  }
  /// Reading and writing end of a named FIFO.
  Ends fifo() { return fifo_in(directory_); }
  Ends fifo_in(const std::string& directory) {
    const std::string path = directory + "/fifo";
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    const int writer = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    open_.insert(open_.end(), {reader, writer});
    return {reader, writer};
  }

  /// A process with /dev/null as its standard streams, unless `wiring` (descriptor → ours) says
  /// otherwise.
  pid_t process(const Wiring& wiring) {
    int ready[2];
    EXPECT_EQ(::pipe2(ready, O_CLOEXEC), 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
      const int null = ::open("/dev/null", O_RDWR);
      const int up = ::fcntl(ready[1], F_DUPFD, 500);
      std::map<int, int> high;
      for (const auto& [to, from] : wiring) {
        high[to] = ::fcntl(from, F_DUPFD, 300);
      }
      for (int fd = 0; fd < 3; ++fd) {
        ::dup2(null, fd);
      }
      for (int fd = 3; fd < 300; ++fd) {
        ::close(fd);
      }
      for (const auto& [to, from] : high) {
        ::dup2(from, to);
        ::close(from);
      }
      (void)!::write(up, "x", 1);
      ::close(up);
      for (;;) {
        ::pause();
      }
    }
    children_.push_back(pid);
    char byte = 0;
    ::close(ready[1]);
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    EXPECT_EQ(::read(ready[0], &byte, 1), 0);  // closed: the child has its final descriptors
    ::close(ready[0]);
    return pid;
  }

  static bool leads(std::vector<pid_t> parts, pid_t from, pid_t to) {
    Flow flow;
    for (const pid_t pid : parts) {
      flow.add(pid);
    }
    return flow.leads(std::array{from}, std::array{to});
  }

  std::string directory_;
  std::vector<int> open_;
  std::vector<pid_t> children_;
};

TEST_F(FlowTest, APipeLeadsFromItsWriterToItsReaderAndNotBack) {
  const Ends ends = pipe();
  const pid_t writer = process({{1, ends[1]}});
  const pid_t reader = process({{0, ends[0]}});
  EXPECT_TRUE(leads({writer, reader}, writer, reader));
  EXPECT_FALSE(leads({writer, reader}, reader, writer));
}

TEST_F(FlowTest, AFifoLeadsLikeAPipe) {
  const Ends ends = fifo();
  const pid_t writer = process({{1, ends[1]}});
  const pid_t reader = process({{0, ends[0]}});
  EXPECT_TRUE(leads({writer, reader}, writer, reader));
  EXPECT_FALSE(leads({writer, reader}, reader, writer));
}

TEST_F(FlowTest, AFifoLeadsWhereverItIs) {
  char name[] = "/dev/shm/onelane-flow-XXXXXX";
  const std::string memory = ::mkdtemp(name);
  const Ends ends = fifo_in(memory);
  const pid_t writer = process({{9, ends[1]}});
  const pid_t reader = process({{0, ends[0]}});
  EXPECT_TRUE(leads({writer, reader}, writer, reader));
  std::filesystem::remove_all(memory);
}

TEST_F(FlowTest, ASocketPairLeadsAccordingToTheStandardStreams) {
  const Ends ends = socket_pair();
  const pid_t writer = process({{1, ends[0]}});
  const pid_t reader = process({{7, ends[1]}});
  EXPECT_TRUE(leads({writer, reader}, writer, reader));
  EXPECT_FALSE(leads({writer, reader}, reader, writer));
}

TEST_F(FlowTest, WithoutAStandardStreamOnEitherSideItLeadsNowhere) {
  const Ends ends = pipe();
  const Ends sockets = socket_pair();
  const pid_t one = process({{5, ends[1]}, {6, sockets[0]}});
  const pid_t other = process({{5, ends[0]}, {6, sockets[1]}});
  EXPECT_FALSE(leads({one, other}, one, other));
  EXPECT_FALSE(leads({one, other}, other, one));
}

TEST_F(FlowTest, OneStandardStreamIsEnough) {
  const Ends ends = pipe();
  const pid_t writer = process({{1, ends[1]}});
  const pid_t reader = process({{63, ends[0]}});  // <(...)
  EXPECT_TRUE(leads({writer, reader}, writer, reader));
}

TEST_F(FlowTest, AProcessInBetweenPassesBytesOn) {
  const Ends first = pipe();
  const Ends second = pipe();
  const pid_t writer = process({{1, first[1]}});
  const pid_t between = process({{0, first[0]}, {1, second[1]}});
  const pid_t reader = process({{0, second[0]}});
  EXPECT_TRUE(leads({writer, between, reader}, writer, reader));
  EXPECT_FALSE(leads({writer, reader}, writer, reader));
  Flow flow;
  flow.add(writer);
  flow.add(between, Flow::Role::Witness);
  flow.add(reader);
  EXPECT_FALSE(flow.leads(std::array{writer}, std::array{reader}));
}

TEST_F(FlowTest, WhatAProcessOpenedItselfIsNotWhatItWasStartedWith) {
  const Ends ends = pipe();
  const pid_t writer = process({{1, ends[1]}});
  const auto leads_to_started = [&](int descriptor) {
    const pid_t reader = process({{descriptor, ends[0]}});
    Flow flow;
    flow.add(writer);
    flow.add(reader, Flow::Role::Started);
    return flow.leads(std::array{writer}, std::array{reader});
  };
  EXPECT_TRUE(leads_to_started(0));
  EXPECT_FALSE(leads_to_started(3));
  EXPECT_FALSE(leads_to_started(10));  // no shell
}

TEST_F(FlowTest, TwoWritersOfOnePipeAreNotJoined) {
  const Ends ends = pipe();
  const pid_t one = process({{1, ends[1]}, {2, ends[1]}});
  const pid_t other = process({{1, ends[1]}});
  const pid_t agent = process({{0, ends[0]}});
  EXPECT_FALSE(leads({one, other, agent}, one, other));
  EXPECT_FALSE(leads({one, other, agent}, other, one));
}

TEST_F(FlowTest, AChannelWithBothEndsInOneProcessLeadsNowhere) {
  const Ends jobserver = pipe();
  const pid_t one = process({{1, jobserver[1]}});
  const pid_t other = process({{0, jobserver[0]}});
  const pid_t make = process({{3, jobserver[0]}, {4, jobserver[1]}});
  EXPECT_TRUE(leads({one, other}, one, other));
  Flow flow;
  for (const pid_t pid : {one, other}) {
    flow.add(pid);
  }
  flow.add(make, Flow::Role::Witness);
  EXPECT_FALSE(flow.leads(std::array{one}, std::array{other}));
}

TEST_F(FlowTest, ASocketWithANameLeadsNowhere) {
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int client = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  open_.insert(open_.end(), {listener, client});
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (directory_ + "/socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ASSERT_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const int server = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  open_.push_back(server);
  const pid_t one = process({{1, client}});
  const pid_t other = process({{0, server}});
  EXPECT_FALSE(leads({one, other}, one, other));
}

TEST_F(FlowTest, AProcessFeedsTheReaderOfItsPipeOnStandardInput) {
  const Ends ends = pipe();
  const pid_t feeder = process({{60, ends[1]}});
  const pid_t reader = process({{0, ends[0]}});
  const pid_t other = process({{5, ends[0]}});
  Flow flow;
  flow.add(feeder, Flow::Role::Witness);
  flow.add(reader);
  flow.add(other);
  EXPECT_TRUE(flow.feeds(feeder, reader));
  EXPECT_FALSE(flow.feeds(feeder, other));
  EXPECT_FALSE(flow.feeds(reader, feeder));
  EXPECT_TRUE(flow.any_ends(std::array{feeder}));
}

TEST_F(FlowTest, AProcessThatIsGoneHasNoEnds) {
  const pid_t pid = process({});
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  std::erase(children_, pid);
  SocketPairs pairs;
  EXPECT_TRUE(channel_ends(pid, pairs).empty());
  Flow flow;
  flow.add(pid);
  EXPECT_FALSE(flow.any_ends(std::array{pid}));
}

}  // namespace
}  // namespace onelane::sys
