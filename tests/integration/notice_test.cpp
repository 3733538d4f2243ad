#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/lane/admin.hpp"
#include "tests/integration/status_scene.hpp"
#include "tests/support/pty.hpp"

namespace onelane::test {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

/// What the notice takes from the journal, and its form on each kind of output.
class NoticeTest : public StatusTest {
 protected:
  Running start_waiter(const std::string& messages, const std::string& text) {
    return sandbox_.start({"bash", "-c", "exec make trace \"$0\" 2>" + messages, text});
  }
  Terminal waiter_on_terminal() {
    return Terminal{{"make", "trace", "mine"}, sandbox_.environment(), sandbox_.project()};
  }
};

/// Counts how often a file is read.
class Reads {
 public:
  explicit Reads(const std::string& path) : fd_{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)} {
    EXPECT_GE(::inotify_add_watch(fd_, path.c_str(), IN_ACCESS), 0);
  }
  Reads(const Reads&) = delete;
  Reads& operator=(const Reads&) = delete;
  ~Reads() { ::close(fd_); }
  /// Since the last call; equal events in a row count as one.
  [[nodiscard]] bool any() const {
    char buffer[4096];
    bool found = false;
    while (::read(fd_, buffer, sizeof buffer) > 0) {
      found = true;
    }
    return found;
  }

 private:
  int fd_;
};

TEST_F(NoticeTest, TheUsualDurationAndTheTimeToGoAreSaid) {
  remember({"pytest", "trace", "holder", "in"}, 1h);
  const std::string messages = sandbox_.fresh_path("messages");
  Holder holder{sandbox_};
  Running waiter = start_waiter(messages, "mine");
  ASSERT_TRUE(comes_to_contain(messages, "\n"));
  EXPECT_THAT(contents_of(messages),
              ContainsRegex("· 1st of 1 · ~59m[0-9]+s to go · running: pytest [^\n]*, [0-9.]+s of "
                            "usually 1h00m\\) · queued, not hung\n"));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(waiter.wait().exited_with(0));
  EXPECT_THAT(contents_of(messages), HasSubstr("onelane: started after "));
}

TEST_F(NoticeTest, ALateHolderIsSaidToBeLateAndNothingIsPromised) {
  remember({"pytest", "trace", "holder", "in"}, 1ms);
  const std::string messages = sandbox_.fresh_path("messages");
  Holder holder{sandbox_};
  Running waiter = start_waiter(messages, "mine");
  ASSERT_TRUE(comes_to_contain(messages, "\n"));
  EXPECT_THAT(contents_of(messages),
              AllOf(HasSubstr("s, longer than the usual 0.0s) · queued, not hung\n"),
                    Not(HasSubstr("to go"))));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(waiter.wait().exited_with(0));
}

TEST_F(NoticeTest, TheJournalIsReadWithTheFirstLineAndNeverForARedraw) {
  remember({"pytest", "trace", "holder", "in"}, 1h);
  const Reads reads{state() + "/runs.jsonl"};
  Holder holder{sandbox_};
  Terminal terminal = waiter_on_terminal();
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  terminal.expect("\033[K");
  (void)reads.any();  // by status and by the first line
  for (int redraws = 0; redraws < 3; ++redraws) {
    EXPECT_THAT(terminal.expect("\033[K"), HasSubstr(" to go · running: "));
  }
  EXPECT_FALSE(reads.any());
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_EQ(terminal.wait(), 0);
}

TEST_F(NoticeTest, ACallThatSaysNothingReadsNoJournal) {
  remember({"pytest", "trace", "holder", "in"}, 1h);
  sandbox_.set_environment("ONELANE_QUIET", "1");
  sandbox_.set_environment("ONELANE_QUEUE_TIMEOUT", "1");
  const Reads reads{state() + "/runs.jsonl"};
  Holder holder{sandbox_};
  EXPECT_TRUE(sandbox_.run({"make", "trace", "mine"}).exited_with(75));
  EXPECT_FALSE(reads.any());
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(NoticeTest, ADumbTerminalGetsLinesInsteadOfARedrawnOne) {
  sandbox_.set_environment("TERM", "dumb");
  Holder holder{sandbox_};
  Terminal terminal = waiter_on_terminal();
  EXPECT_THAT(terminal.expect("\r\n"),
              AllOf(StartsWith("onelane: waiting for lane 'project'"),
                    HasSubstr("queued, not hung"), Not(HasSubstr("\033"))));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_THAT(terminal.expect("\r\n"),
              MatchesRegex("onelane: started after [0-9.]+s \\(1 ahead\\)"));
  EXPECT_EQ(terminal.wait(), 0);
}

TEST_F(NoticeTest, OnHoldSaysWhatEndsIt) {
  const lane::Table table{state(), 0600};
  lane::set_held(table, true);
  const std::string messages = sandbox_.fresh_path("messages");
  Running waiter = start_waiter(messages, "mine");
  EXPECT_TRUE(comes_to_contain(messages, " · on hold until `onelane release` by "));
  EXPECT_TRUE(comes_to_contain(messages, " · queued, not hung\n"));
  const Ended refused =
      sandbox_.run({onelane_of(sandbox_), "run", "--no-wait", "--", sandbox_.tools() + "/make"});
  EXPECT_TRUE(refused.exited_with(75));
  lane::set_held(table, false);
  EXPECT_TRUE(waiter.wait().exited_with(0));
}

TEST_F(NoticeTest, VerboseExplainsEachDecision) {
  sandbox_.set_environment("ONELANE_VERBOSE", "1");
  EXPECT_EQ(sandbox_.run({"make", "trace", "mine"}).err,
            "onelane: make trace mine: lane (make: runs recipes); project " + sandbox_.project() +
                "; lane " + state() + "; tool " + sandbox_.tools() + "/make\n");
  EXPECT_THAT(
      sandbox_.run({"git", "log"}).err,
      StartsWith("onelane: git log: pass (git: only reads); tool " + sandbox_.tools() + "/git\n"));
  EXPECT_THAT(sandbox_.run({"make", "call", "pytest", "trace", "inner", "end"}).err,
              ContainsRegex("\nonelane: pytest trace inner: passes: below the run that holds the "
                            "lane; class lane \\(pytest: [^\n]*\\); project [^\n]*; lane "));
  EXPECT_THAT(sandbox_.run({onelane_of(sandbox_), "run", "--", "make", "trace", "x"}).err,
              HasSubstr("make trace x: lane (onelane run); project "));
  sandbox_.set_environment("ONELANE_QUIET", "1");
  EXPECT_THAT(sandbox_.run({"make", "trace", "mine"}).err, IsEmpty());
  EXPECT_THAT(sandbox_.run({"git", "trace-file", "x"}).err, Not(HasSubstr("onelane: ")));
}

}  // namespace
}  // namespace onelane::test
