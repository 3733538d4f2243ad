#include "core/process/leftovers.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace onelane::process {
namespace {

/// A `sleep` with ONELANE_HELD in its initial environment, and stdio chosen by the test.
class LeftoversTest : public ::testing::Test {
 protected:
  ~LeftoversTest() override {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }

  enum class HangUp { Ends, Ignored };
  /// Starts it with fds 0 to 2 on `stdio`, and waits until it has been executed.
  void start(int stdio, HangUp hang_up = HangUp::Ends) {
    std::array<int, 2> ready{};
    ASSERT_EQ(::pipe2(ready.data(), O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      for (int fd = 0; fd < 3; ++fd) {
        ::dup2(stdio, fd);
      }
      ::signal(SIGHUP, hang_up == HangUp::Ignored ? SIG_IGN : SIG_DFL);
      const char* argv[] = {"sleep", "300", nullptr};
      const char* environment[] = {"ONELANE_HELD=runaaaaaaaa", nullptr};
      ::execve("/bin/sleep", const_cast<char**>(argv), const_cast<char**>(environment));
      ::_exit(127);
    }
    ::close(ready[1]);
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 0);  // end of file: the exec has happened
    ::close(ready[0]);
    traits_.session = ::getsid(0);
  }

  void start_on_nothing(HangUp hang_up = HangUp::Ends) {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    start(null, hang_up);
    ::close(null);
  }
  [[nodiscard]] Leftover sorted(const KeepList& keep = {}) const {
    return sort_leftover(*sys::read_stat(pid_), traits_, keep);
  }

  [[nodiscard]] static Search search_for(const std::string& run_id, Search search = {}) {
    search.run_id = run_id;
    search.known = {sys::self_id()};
    return search;
  }
  [[nodiscard]] bool is_found(const std::string& run_id, Search more = {}) const {
    const Search search = search_for(run_id, std::move(more));
    const auto members = find_members(search, traits_, {});
    return std::ranges::any_of(members, [&](const auto& stat) { return stat.id.pid == pid_; });
  }

  std::array<int, 2> pipe_ = [] {
    std::array<int, 2> ends{};
    (void)!::pipe2(ends.data(), O_CLOEXEC);
    return ends;
  }();
  void start_without_first_thread(int stdio) {
    pid_ = ::fork();
    if (pid_ == 0) {
      for (int fd = 0; fd < 3; ++fd) {
        ::dup2(stdio, fd);
      }
      ::alarm(60);
      pthread_t other{};
      ::pthread_create(
          &other, nullptr,
          [](void*) -> void* {
            for (;;) {
              ::pause();
            }
          },
          nullptr);
      ::syscall(SYS_exit, 0);  // ends only this thread
    }
    traits_.session = ::getsid(0);
    wait_for_state('Z');
  }

  void wait_for_state(char state) const {
    for (int i = 0; i < 5'000 && sys::read_stat(pid_)->state != state; ++i) {
      ::usleep(1'000);
    }
    ASSERT_EQ(sys::read_stat(pid_)->state, state);
  }

  RunTraits traits_;
  pid_t pid_ = -1;
};

TEST_F(LeftoversTest, AMemberIsFoundByTheRunIdInItsEnvironment) {
  start(pipe_[1]);
  EXPECT_TRUE(is_found("runaaaaaaaa"));
  EXPECT_FALSE(is_found("runbbbbbbbb"));
}

TEST_F(LeftoversTest, APartOfAnIdDoesNotMatch) {
  start(pipe_[1]);
  for (const char* part : {"r", "runaaaaaaa", "unaaaaaaaa", "aaaaaaaa", "="}) {
    EXPECT_FALSE(is_found(part)) << part;
  }
}

TEST_F(LeftoversTest, AnotherUsersOrASupervisedProcessIsNotAMember) {
  start(pipe_[1]);
  Search search;
  search.uid = ::getuid();
  EXPECT_TRUE(is_found("runaaaaaaaa", search));
  search.rules.is_onelane = [](pid_t pid) { return pid == ::getpid(); };
  EXPECT_FALSE(is_found("runaaaaaaaa", search));
  search.rules = {};
  search.uid = ::getuid() + 1;
  EXPECT_FALSE(is_found("runaaaaaaaa", search));
}

TEST_F(LeftoversTest, ARunWithoutAnIdHasNoMembersElsewhere) {
  start(pipe_[1]);
  EXPECT_FALSE(is_found(""));
}

TEST_F(LeftoversTest, OnAPipeItIsAStraggler) {
  start(pipe_[1]);
  EXPECT_EQ(sort_leftover(*sys::read_stat(pid_), traits_, {}), Leftover::Straggler);
}

TEST_F(LeftoversTest, WithoutStdioAloneItIsLoose) {
  start_on_nothing();
  EXPECT_EQ(sorted(), Leftover::Loose);
  EXPECT_FALSE(is_found("runaaaaaaaa"));
}

TEST_F(LeftoversTest, WithoutStdioOutsideTheSessionItIsDetached) {
  start_on_nothing();
  traits_.session += 1;
  EXPECT_EQ(sorted(), Leftover::Detached);
}

TEST_F(LeftoversTest, AProcessThatIgnoresTheHangUpIsKept) {
  start_on_nothing(HangUp::Ignored);
  EXPECT_EQ(sorted(), Leftover::Background);
  traits_.ignored_hangup = 1;  // as all of this run do
  EXPECT_EQ(sorted(), Leftover::Loose);
}

TEST_F(LeftoversTest, AProcessOnThePipeThatIgnoresTheHangUpIsKept) {
  start(pipe_[1], HangUp::Ignored);
  EXPECT_EQ(sorted(), Leftover::Background);
  traits_.session += 1;
  EXPECT_EQ(sorted(), Leftover::Detached);
  traits_.ignored_hangup = 1;
  EXPECT_EQ(sorted(), Leftover::Straggler);
}

TEST_F(LeftoversTest, KeptProcessesAreFoundWithTheirKind) {
  start_on_nothing();
  const auto kept = find_kept(search_for("runaaaaaaaa"), traits_, {});
  const auto it = std::ranges::find(kept, pid_, [](const KeptProcess& k) { return k.id.pid; });
  ASSERT_NE(it, kept.end());
  EXPECT_EQ(it->sorted, Leftover::Loose);
  EXPECT_EQ(it->command, "sleep 300");
  EXPECT_TRUE(find_kept(search_for("runbbbbbbbb"), traits_, {}).empty());
}

TEST(SparedTest, TheStricterTheOccasionTheFewerLiveOn) {
  using enum Leftover;
  const auto spared = [](Occasion occasion) {
    std::vector<Leftover> out;
    for (const Leftover each : {Elsewhere, Listed, Detached, Background, Loose, Straggler}) {
      if (is_spared(each, occasion)) {
        out.push_back(each);
      }
    }
    return out;
  };
  const std::vector<Leftover> all{Elsewhere, Listed, Detached, Background, Loose};
  EXPECT_EQ(spared(Occasion::RunEnd), all);
  EXPECT_EQ(spared(Occasion::Orphans), std::vector(all.begin(), all.begin() + 4));
  EXPECT_EQ(spared(Occasion::Stop), std::vector(all.begin(), all.begin() + 3));
  EXPECT_EQ(spared(Occasion::Everything), std::vector(all.begin(), all.begin() + 1));
}

TEST_F(LeftoversTest, MissingStdioShowsNoPurposeOnceTheRunWasCutShort) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  start(null);
  ::close(null);
  traits_.was_cut_short = 1;
  const auto stat = sys::read_stat(pid_).value();
  EXPECT_EQ(sort_leftover(stat, traits_, {}), Leftover::Straggler);
  traits_.session += 1;  // it has a session of its own
  EXPECT_EQ(sort_leftover(stat, traits_, {}), Leftover::Detached);
}

TEST_F(LeftoversTest, OnTheKeepListItIsListedWhateverItsStdio) {
  start(pipe_[1]);
  const KeepList keep = [](std::string_view name, std::span<const std::string_view> arguments) {
    return name == "sleep" && arguments.size() == 1 && arguments[0] == "300";
  };
  EXPECT_EQ(sort_leftover(*sys::read_stat(pid_), traits_, keep), Leftover::Listed);
}

TEST_F(LeftoversTest, AProcessWhoseFirstThreadHasEndedLivesOnInTheOthers) {
  start_without_first_thread(pipe_[1]);
  EXPECT_EQ(sort_leftover(*sys::read_stat(pid_), traits_, {}), Leftover::Straggler);
}

TEST_F(LeftoversTest, AProcessWhoseFirstThreadHasEndedIsADaemonIfDetached) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  start_without_first_thread(null);
  ::close(null);
  EXPECT_EQ(sorted(), Leftover::Loose);
  traits_.session += 1;
  EXPECT_EQ(sorted(), Leftover::Detached);
}

TEST_F(LeftoversTest, AZombieIsGone) {
  pid_ = ::fork();
  if (pid_ == 0) {
    ::_exit(0);
  }
  // A sanitizer's own thread may end a moment after the first.
  for (int i = 0; i < 5'000 && !sys::read_stat(pid_)->has_ended(); ++i) {
    ::usleep(1'000);
  }
  EXPECT_EQ(sort_leftover(*sys::read_stat(pid_), traits_, {}), Leftover::Gone);
}

TEST_F(LeftoversTest, AnotherStartTimeIsAnotherProcess) {
  start(pipe_[1]);
  auto stat = *sys::read_stat(pid_);
  ++stat.id.start;
  EXPECT_EQ(sort_leftover(stat, traits_, {}), Leftover::Gone);
}

}  // namespace
}  // namespace onelane::process
