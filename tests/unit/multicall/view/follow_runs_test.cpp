#include "multicall/view/follow_runs.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <future>

#include "core/journal/journal.hpp"
#include "core/lane/ticket.hpp"

namespace onelane::multicall {
namespace {

namespace fs = std::filesystem;

/// A pipe between processes; each end either reads or writes.
class Baton {
 public:
  Baton() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0); }
  void pass() const { EXPECT_EQ(::write(ends_[1], "x", 1), 1); }
  void await() const {
    char byte = 0;
    EXPECT_EQ(::read(ends_[0], &byte, 1), 1);
  }

 private:
  std::array<int, 2> ends_{};
};

/// A run in a process of its own, and a second process that does a guardian's last steps one by
/// one.
class KilledRunTest : public testing::Test {
 protected:
  KilledRunTest() {
    std::string pattern = (fs::temp_directory_path() / "follow-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    supervisor_ = ::fork();
    if (supervisor_ == 0) {
      supervise();
    }
    begun_.await();
    lanes_.project.state_dir = directory_;
    lanes_.tables.push_back(*lane::Table::open_existing(directory_ + "/lane"));
  }
  ~KilledRunTest() override {
    kill_supervisor();
    clear_.pass();
    append_.pass();
    fs::remove_all(directory_);
  }

  [[noreturn]] void supervise() const {
    const lane::Table table{directory_, 0600};
    lane::Ticket ticket{table, {}};
    if (ticket.advance() != lane::Step::Started || ticket.begin() != lane::Begun::Yes) {
      ::_exit(1);
    }
    if (::fork() == 0) {
      guard(ticket);
    }
    begun_.pass();
    for (;;) {
      ::pause();
    }
  }

  [[noreturn]] void guard(lane::Ticket& ticket) const {
    clear_.await();
    ticket.close_record({});
    cleared_.pass();
    append_.await();
    journal::Record record;
    record.id = lane::view(ticket.run_id());
    record.reason = journal::Reason::Crashed;
    (void)journal::append(sys::open_file(directory_, O_RDONLY | O_DIRECTORY).get(), record, {});
    ::_exit(0);
  }

  void kill_supervisor() {
    if (supervisor_ > 0) {
      ::kill(supervisor_, SIGKILL);
      ::waitpid(supervisor_, nullptr, 0);
      supervisor_ = -1;
    }
  }

  /// Inotify instances of this process: one is open while it waits for a record.
  static std::ptrdiff_t watches() {
    std::ptrdiff_t count = 0;
    for (const auto& entry : fs::directory_iterator{"/proc/self/fd"}) {
      std::error_code none;
      count += fs::read_symlink(entry, none) == "anon_inode:inotify" ? 1 : 0;
    }
    return count;
  }

  std::string directory_;
  Baton begun_, clear_, cleared_, append_;
  pid_t supervisor_ = -1;
  LanesHere lanes_;
};

TEST_F(KilledRunTest, TheGuardiansRecordIsWaitedFor) {
  auto live = live_views(lanes_);
  ASSERT_EQ(live.size(), 1U);
  RunFollower follower{lanes_, live.front(), directory_ + "/logs"};
  ASSERT_FALSE(follower.look());
  kill_supervisor();
  ASSERT_TRUE(follower.wait()) << "returns, for the supervisor has ended";
  clear_.pass();
  cleared_.await();
  const auto before = watches();
  auto over = std::async(std::launch::async, [&] { return follower.look(); });
  while (over.wait_for(std::chrono::milliseconds{1}) != std::future_status::ready &&
         watches() == before) {
  }
  append_.pass();
  EXPECT_TRUE(over.get());
  ASSERT_TRUE(follower.has_record()) << "ended without a record";
  EXPECT_EQ(follower.run().record.reason, journal::Reason::Crashed);
}

}  // namespace
}  // namespace onelane::multicall
