#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/integration/lane_scene.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;

using Words = std::vector<std::string>;

/// Changes to a lane's files while calls use them.
class StateTest : public testing::Test {
 protected:
  Running start_in(const std::string& directory, const Words& words) {
    Start options;
    options.directory = directory;
    return sandbox_.start(words, options);
  }
  [[nodiscard]] std::string state() const { return sandbox_.project() + "/.git/onelane"; }

  Sandbox sandbox_{Mode::Shim};
};

TEST_F(StateTest, ARepositoryDeletedWhileACallWaitsLetsItRunWithoutTheLane) {
  sandbox_.set_environment("ONELANE_QUIET", "1");  // the waiting notice is not tested here
  const std::string doomed = make_project(sandbox_, "doomed");
  Holder holder{sandbox_, "holder", doomed};
  Running waiting = start_in(doomed, {"make", "trace", "mine", "exit", "3"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1, doomed));
  fs::remove_all(doomed);
  const Ended ended = waiting.wait();
  EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status);
  EXPECT_THAT(ended.err, MatchesRegex("onelane: [^\n]*doomed/.git[^\n]*; running make without the "
                                      "lane\n"));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "mine"));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_FALSE(fs::exists(doomed));
}

TEST_F(StateTest, WithOnErrorClosedADeletedRepositoryRefusesTheCall) {
  sandbox_.set_environment("ONELANE_QUIET", "1");
  sandbox_.set_environment("ONELANE_ON_ERROR", "closed");
  const std::string doomed = make_project(sandbox_, "doomed");
  Holder holder{sandbox_, "holder", doomed};
  Running waiting = start_in(doomed, {"make", "trace", "mine"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1, doomed));
  fs::remove_all(doomed);
  const Ended ended = waiting.wait();
  EXPECT_TRUE(ended.exited_with(125)) << describe_status(ended.wait_status);
  EXPECT_THAT(ended.err, MatchesRegex("onelane: [^\n]*; not running make \\(ON_ERROR=closed\\)\n"));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_THAT(sandbox_.texts("mine"), IsEmpty());
}

TEST_F(StateTest, RemovingARepositoryWorksWhileManyCallsWait) {
  sandbox_.set_environment("ONELANE_QUIET", "1");
  for (int round = 0; round < 3; ++round) {
    const std::string name = "doomed" + std::to_string(round);
    const std::string doomed = make_project(sandbox_, name);
    Holder holder{sandbox_, name, doomed};
    std::vector<Running> waiting;
    for (std::size_t count = 1; count <= 4; ++count) {
      waiting.push_back(start_in(doomed, {"make", "trace", "mine"}));
      ASSERT_TRUE(comes_to_queue(sandbox_, count, doomed));
    }
    const Ended removal = sandbox_.run({"rm", "-r", doomed});
    EXPECT_TRUE(removal.exited_with(0)) << removal.err;
    for (Running& call : waiting) {
      EXPECT_TRUE(call.wait().exited_with(0));
    }
    EXPECT_TRUE(holder.release().exited_with(0));
  }
}

TEST_F(StateTest, ALaneFileReplacedWhileCallsWaitStillKeepsThemApart) {
  const std::string witness = sandbox_.fresh_path("witness");
  const Words words{"make", "lock", witness, "sleep", "30", "trace", "ran"};
  Holder holder{sandbox_};
  std::vector<Running> calls;
  for (std::size_t count = 1; count <= 3; ++count) {
    calls.push_back(sandbox_.start(words));
    ASSERT_TRUE(comes_to_queue(sandbox_, count));
  }
  fs::remove(state() + "/lane");
  for (int count = 0; count < 3; ++count) {
    calls.push_back(sandbox_.start(words));
  }
  EXPECT_TRUE(holder.release().exited_with(0));
  for (Running& call : calls) {
    const Ended ended = call.wait();
    EXPECT_TRUE(ended.exited_with(0)) << describe_status(ended.wait_status) << ended.err;
  }
  EXPECT_EQ(sandbox_.texts("ran").size(), calls.size());
  EXPECT_THAT(sandbox_.texts(), Not(Contains("OVERLAP")));
  EXPECT_TRUE(status_of(sandbox_)["holder"].is_null());
}

TEST_F(StateTest, AStateDirectoryReplacedWhileACallWaitsIsFoundAgain) {
  Holder holder{sandbox_};
  Running waiting = sandbox_.start({"make", "trace", "mine"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  fs::rename(state(), sandbox_.project() + "/.git/moved");
  fs::create_directory(state());
  EXPECT_TRUE(waiting.wait().exited_with(0));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_THAT(sandbox_.texts("mine"), ElementsAre("mine"));
}

TEST_F(StateTest, ADamagedLaneFileIsRepaired) {
  EXPECT_TRUE(sandbox_.run({"make", "trace", "before"}).exited_with(0));
  std::ofstream{state() + "/lane"} << std::string(100'000, 'x');
  Holder holder{sandbox_};
  Running waiting = sandbox_.start({"make", "trace", "mine"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(waiting.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("before", "holder in", "holder out", "mine"));
}

/// Two users of one checkout. Root plays both; to any other user, the stranger is a directory that
/// cannot be written.
class TwoUsersTest : public StateTest {
 protected:
  static constexpr unsigned kOther = 65'534;

  TwoUsersTest() {
    if (is_root()) {
      // What the other user executes must be in a readable directory.
      for (const auto& [from, name] :
           {std::pair{onelane_of(sandbox_), "onelane"},
            std::pair{fs::canonical(sandbox_.tools() + "/make").string(), "fake_tool"}}) {
        fs::copy_file(from, sandbox_.root() + "/" + name);
      }
      for (const char* name : {"git", "make", "npm", "pytest", "vitest"}) {
        relink(sandbox_.shims() + "/" + name, sandbox_.root() + "/onelane");
        relink(sandbox_.tools() + "/" + name, sandbox_.root() + "/fake_tool");
      }
      std::ofstream{sandbox_.root() + "/trace"};
      ::chmod((sandbox_.root() + "/trace").c_str(), 0666);
      ::chmod(sandbox_.root().c_str(), 0755);
    }
  }
  [[nodiscard]] std::string admin() const { return sandbox_.root() + "/onelane"; }
  static bool is_root() { return ::geteuid() == 0; }
  static void relink(const std::string& path, const std::string& target) {
    fs::remove(path);
    fs::create_symlink(target, path);
  }
  static Words as_the_other(const Words& words) {
    const std::string id = std::to_string(kOther);
    Words out =
        is_root() ? Words{"setpriv", "--reuid", id, "--regid", id, "--clear-groups"} : Words{};
    out.insert(out.end(), words.begin(), words.end());
    return out;
  }
  void give_away(const std::string& path) {
    ASSERT_TRUE(sandbox_.run({"chown", "-R", std::to_string(kOther), path}).exited_with(0));
  }
  void forbid_writing() { ::chmod(state().c_str(), 0555); }
};

TEST_F(TwoUsersTest, WhoMayNotWriteTheStateRunsWithoutTheLaneAndSaysSo) {
  forbid_writing();
  const Ended ended = sandbox_.run(as_the_other({"make", "trace", "mine", "exit", "3"}));
  EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_THAT(ended.err,
              MatchesRegex("onelane: [^\n]*/.git/onelane/lane: Permission denied; running "
                           "make without the lane\n"));
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(sandbox_.texts(), ElementsAre("mine"));
}

TEST_F(TwoUsersTest, WithOnErrorClosedWhoMayNotWriteTheStateIsRefused) {
  forbid_writing();
  sandbox_.set_environment("ONELANE_ON_ERROR", "closed");
  const Ended ended = sandbox_.run(as_the_other({"make", "trace", "mine"}));
  EXPECT_TRUE(ended.exited_with(125)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_THAT(ended.err, MatchesRegex("onelane: [^\n]*/.git/onelane/lane: Permission denied; not "
                                      "running make \\(ON_ERROR=closed\\)\n"));
  EXPECT_THAT(sandbox_.texts(), IsEmpty());
}

TEST_F(TwoUsersTest, StateMadeByRootServesTheOwnerOfTheGitDirectory) {
  if (!is_root()) {
    GTEST_SKIP() << "needs root to make files for another user";
  }
  fs::remove(state());
  give_away(sandbox_.project());
  ASSERT_TRUE(sandbox_.run({sandbox_.root() + "/onelane", "init", "--ci"}).exited_with(0));
  Holder holder{sandbox_};  // as root: this run creates the lane file
  Running waiting = sandbox_.start(as_the_other({"make", "trace", "mine"}));
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  EXPECT_EQ(status_of(sandbox_)["queue"][0]["user"], "nobody");
  EXPECT_TRUE(holder.release().exited_with(0));
  const Ended ended = waiting.wait();
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(ended.err, Not(HasSubstr("without the lane")));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "mine"));
}

TEST_F(TwoUsersTest, WhoMayNotReadTheLaneIsToldSoInOneLine) {
  EXPECT_TRUE(sandbox_.run({"make", "trace", "mine"}).exited_with(0));
  if (!is_root()) {
    GTEST_SKIP() << "needs root to be two users";
  }
  ::chmod((state() + "/lane").c_str(), 0600);
  const Ended status = sandbox_.run(as_the_other({admin(), "status"}));
  EXPECT_TRUE(status.exited_with(1)) << describe_status(status.wait_status);
  EXPECT_EQ(status.out, "");
  EXPECT_THAT(status.err, MatchesRegex("onelane: open [^\n]*/lane: Permission denied\n"));
  ::chmod((state() + "/runs.jsonl").c_str(), 0600);
  for (const char* verb : {"runs", "logs", "stats", "report"}) {
    const Ended ended = sandbox_.run(as_the_other({admin(), verb}));
    EXPECT_TRUE(ended.exited_with(1)) << verb << describe_status(ended.wait_status);
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err, MatchesRegex("onelane: open [^\n]*/runs.jsonl: Permission denied\n"));
  }
}

TEST_F(TwoUsersTest, ARunOfAnotherUserIsShownWithItsUser) {
  if (!is_root()) {
    GTEST_SKIP() << "needs root to be two users";
  }
  give_away(sandbox_.project());
  Gate gate{sandbox_};
  ::chmod(gate.path().c_str(), 0666);
  Running theirs =
      sandbox_.start(as_the_other({"make", "trace", "theirs", "hold-until", gate.path()}));
  sandbox_.wait_for("theirs");
  const auto run = status_of(sandbox_)["holder"];
  EXPECT_EQ(run["user"], "nobody");
  EXPECT_EQ(run["processes"], 1);
  EXPECT_THAT(sandbox_.run({admin(), "status"}).out, HasSubstr(", user nobody, for "));
  gate.open();
  EXPECT_TRUE(theirs.wait().exited_with(0));
}

TEST_F(TwoUsersTest, StateMadeByTheOwnerServesRoot) {
  if (!is_root()) {
    GTEST_SKIP() << "needs root to make files for another user";
  }
  fs::remove(state());
  fs::create_directory(state());
  give_away(sandbox_.project());
  EXPECT_TRUE(sandbox_.run(as_the_other({"make", "trace", "theirs"})).exited_with(0));
  const Ended ended = sandbox_.run({"make", "trace", "mine"});
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_EQ(ended.err, "");
  EXPECT_THAT(sandbox_.texts(), ElementsAre("theirs", "mine"));
}

}  // namespace
}  // namespace onelane::test
