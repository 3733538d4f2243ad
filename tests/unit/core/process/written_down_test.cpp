#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "core/process/orphans.hpp"

namespace onelane::process {
namespace {

constexpr const char kWriter[] = "runaaaaaaaa";

/// A `sleep` on a pipe without a marker in its environment, which a run has recorded as kept.
class WrittenDownTest : public ::testing::Test {
 protected:
  WrittenDownTest() {
    EXPECT_EQ(::pipe2(pipe_.data(), O_CLOEXEC), 0);
    std::array<int, 2> ready{};
    EXPECT_EQ(::pipe2(ready.data(), O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      for (int fd = 0; fd < 3; ++fd) {
        ::dup2(pipe_[1], fd);
      }
      const char* argv[] = {"sleep", "300", nullptr};
      const char* environment[] = {nullptr};
      ::execve("/bin/sleep", const_cast<char**>(argv), const_cast<char**>(environment));
      ::_exit(127);
    }
    ::close(ready[1]);
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 0);  // end of file: the exec has happened
    ::close(ready[0]);
    written_ = {{sys::read_stat(pid_)->id, kWriter, true}};
    traits_.session = ::getsid(0);
    rules_.is_wanted = [](std::string_view id) { return id == kWriter; };
    rules_.live_runs = [this] { return live_; };
    rules_.written_down = [this] { return written_; };
    rules_.traits = [this](std::string_view) { return traits_; };
    rules_.keep = [this](std::string_view, auto) { return is_listed_; };
  }
  ~WrittenDownTest() override {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }

  [[nodiscard]] bool is_in(const std::vector<Orphan>& list) const {
    return std::ranges::any_of(list, [&](const Orphan& o) { return o.stat.id.pid == pid_; });
  }
  [[nodiscard]] bool is_kept() const { return is_in(OrphanWatch{rules_}.scan().kept); }
  bool is_orphan_for(Occasion occasion) {
    rules_.occasion = occasion;
    return is_in(OrphanWatch{rules_}.scan().orphans);
  }

  std::array<int, 2> pipe_{};
  pid_t pid_ = -1;
  std::vector<WrittenDown> written_;
  std::vector<std::string> live_;
  bool is_listed_ = false;
  RunTraits traits_;
  OrphanRules rules_;
};

TEST_F(WrittenDownTest, ItNeedsNoMarkerWhenTheRecordIsProof) {
  EXPECT_TRUE(is_kept());
  written_[0].is_proof = false;
  EXPECT_FALSE(is_kept());
}

TEST_F(WrittenDownTest, NotWhileItsRunIsLive) {
  live_ = {kWriter};
  EXPECT_FALSE(is_kept());
}

TEST_F(WrittenDownTest, NotForAnotherRunOrAnotherProcess) {
  written_[0].run_id = "runbbbbbbbb";
  EXPECT_FALSE(is_kept());
  written_ = {{{pid_, written_[0].id.start + 1}, kWriter, true}};
  EXPECT_FALSE(is_kept());
}

TEST_F(WrittenDownTest, TheOccasionDecidesWhetherItIsAnOrphan) {
  // Its pipe does not tie it to the run, because it was recorded as kept. In the session of the run
  // it is loose.
  EXPECT_FALSE(is_orphan_for(Occasion::RunEnd));
  EXPECT_TRUE(is_orphan_for(Occasion::Orphans));
  EXPECT_TRUE(is_orphan_for(Occasion::Stop));
  is_listed_ = true;
  EXPECT_FALSE(is_orphan_for(Occasion::Stop));
  EXPECT_TRUE(is_orphan_for(Occasion::Everything));
}

TEST_F(WrittenDownTest, OutsideTheSessionOnlyEverythingEndsIt) {
  traits_.session += 1;
  EXPECT_FALSE(is_orphan_for(Occasion::Orphans));
  EXPECT_FALSE(is_orphan_for(Occasion::Stop));
  EXPECT_TRUE(is_orphan_for(Occasion::Everything));
}

}  // namespace
}  // namespace onelane::process
