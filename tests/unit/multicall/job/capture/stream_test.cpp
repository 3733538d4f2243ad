#include "multicall/job/capture/stream.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <chrono>

#include "multicall/job/capture/terminal.hpp"

namespace onelane::multicall::capture {
namespace {

/// The output of a run on its way to the caller; the sign is an exclamation mark.
class CaptureStreamTest : public testing::Test {
 protected:
  CaptureStreamTest() {
    ::signal(SIGPIPE, SIG_IGN);
    ::fcntl(caller_.write.get(), F_SETFL, O_NONBLOCK);
  }

  Stream stream_to(int target) {
    Stream::Sign sign;
    sign.is_in = [](std::string_view text) { return text.find('!') != std::string_view::npos; };
    sign.raise = [this] { ++raised_; };
    return {std::move(run_.read), target, {}, std::move(sign)};
  }
  void write(std::string_view text) const { ASSERT_TRUE(sys::write_all(run_.write.get(), text)); }
  /// Fills the caller's pipe.
  void fill_pipe() const {
    const std::string block(4096, 'x');
    while (::write(caller_.write.get(), block.data(), block.size()) > 0) {
    }
  }

  Ends run_ = make_pipe();
  Ends caller_ = make_pipe();
  int raised_ = 0;
};

TEST_F(CaptureStreamTest, ASignComesAfterTheBytesUpToIt) {
  Stream stream = stream_to(caller_.write.get());
  write(std::string(5000, 'x') + "!");
  stream.read();
  EXPECT_EQ(raised_, 0);
  stream.write();  // at most PIPE_BUF
  EXPECT_EQ(raised_, 0);
  EXPECT_TRUE(stream.until_sign());
  stream.write();
  EXPECT_EQ(raised_, 1);
  EXPECT_FALSE(stream.until_sign());
  write("!");
  stream.read();
  stream.write();
  EXPECT_EQ(raised_, 1);
}

TEST_F(CaptureStreamTest, ASignWithoutACallerComesAtOnce) {
  Stream stream = stream_to(-1);
  write("!");
  stream.read();
  EXPECT_EQ(raised_, 1);
}

TEST_F(CaptureStreamTest, ASignComesWhenTheCallerHasGone) {
  Stream stream = stream_to(caller_.write.get());
  write("!");
  stream.read();
  caller_.read.reset();
  stream.write();
  EXPECT_TRUE(stream.has_lost_reader());
  EXPECT_EQ(raised_, 1);
}

TEST_F(CaptureStreamTest, ACallerThatDoesNotReadDelaysASignByASecond) {
  Stream stream = stream_to(caller_.write.get());
  fill_pipe();
  write("!");
  stream.read();
  stream.write();
  stream.raise_sign_if_due();
  EXPECT_EQ(raised_, 0);
  const auto left = stream.until_sign();
  ASSERT_TRUE(left);
  EXPECT_LE(*left, std::chrono::seconds{1});
  ::poll(nullptr, 0, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(*left).count()));
  stream.raise_sign_if_due();
  EXPECT_EQ(raised_, 1);
  EXPECT_FALSE(stream.until_sign());
}

}  // namespace
}  // namespace onelane::multicall::capture
