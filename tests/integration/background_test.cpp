#include <signal.h>

#include "core/sys/process.hpp"
#include "tests/integration/steer_scene.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// The recipe goes on once the tool runs.
const std::string kInBackground = " > log 2>&1 & probe await-trace in";

/// A real make whose recipes leave something in the background.
class BackgroundTest : public SteerScene {
 protected:
  BackgroundTest() {
    sandbox_.use_real("make");
    sandbox_.add_plain_tool("probe");
  }

  /// A Makefile with `recipe` for the target `bg`; `fg` traces `fg`.
  void write_recipe(const std::string& recipe) const {
    std::ofstream{sandbox_.project() + "/Makefile"}
        << "bg:\n\t" << recipe << "\nfg:\n\t@pytest trace fg lock " << witness_ << "\n"
        << "nested:\n\t@pytest trace nested\n";
  }
  /// A pytest that is alone in its lane, or ends with 99, and stays until the gate opens.
  [[nodiscard]] std::string pytest(const std::string& more = {}) const {
    return "pytest lock " + witness_ + " trace in " + more + " hold-until " + gate_.path() +
           " trace out";
  }
  /// `make bg`, which has ended when this returns, and whose pytest runs.
  Ended leave_pytest() {
    write_recipe(pytest() + kInBackground);
    Ended ended = sandbox_.run({"make", "-s", "bg"});
    EXPECT_TRUE(ended.exited_with(0)) << ended.err;
    pytest_ = sandbox_.wait_for("in").pid;
    return ended;
  }
  [[nodiscard]] bool comes_to_background() {
    return eventually([&] {
      const json holder = status_of(sandbox_)["holder"];
      return !holder.is_null() && holder["state"] == "background";
    });
  }
  void expect_free() {
    EXPECT_TRUE(eventually([&] { return status_of(sandbox_)["holder"].is_null(); }));
    EXPECT_TRUE(sandbox_.run({"make", "-s", "fg"}).exited_with(0));
  }

  std::string witness_ = sandbox_.fresh_path("witness");
  Gate gate_{sandbox_};
  Gate second_{sandbox_, "second"};
  pid_t pytest_ = -1;
};

TEST_F(BackgroundTest, TheCallReturnsAndTheLaneIsKeptInOrder) {
  const Ended ended = leave_pytest();
  EXPECT_LT(ended.took, milliseconds{900});
  EXPECT_THAT(ended.err, AllOf(HasSubstr("onelane: make -s bg left pytest "),
                               HasSubstr("(pid " + std::to_string(pytest_) +
                                         ") in the background; "
                                         "the lane is kept until it has ended\n")));
  const json holder = status_of(sandbox_)["holder"];
  EXPECT_EQ(holder["state"], "background");
  EXPECT_EQ(holder["clearing"], false);
  ASSERT_EQ(holder["background"].size(), 1U);
  EXPECT_EQ(holder["background"][0]["pid"], pytest_);
  EXPECT_GE(holder["processes"], 1);
  EXPECT_THAT(onelane({"status"}).out, HasSubstr("in the background: pytest"));
  EXPECT_THAT(onelane({"runs", "list"}).out, HasSubstr("ok")) << "the run itself has ended";
  Running next = sandbox_.start({"make", "-s", "fg"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  Running last = sandbox_.start({"pytest", "trace", "last"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 2));
  gate_.open();
  EXPECT_TRUE(next.wait().exited_with(0));
  EXPECT_TRUE(last.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("in", "out", "fg", "last"));
  EXPECT_TRUE(status_of(sandbox_)["kept"].empty());
}

TEST_F(BackgroundTest, TheCallersPipesAreClosed) {
  write_recipe(pytest() + kInBackground);
  Running make = sandbox_.start({"make", "-s", "bg"});
  EXPECT_TRUE(make.output_closes(kDeadline));
  EXPECT_TRUE(make.wait().exited_with(0));
  sandbox_.wait_for("in");
  gate_.open();
  expect_free();
}

TEST_F(BackgroundTest, AWaitingCallIsToldWhatItWaitsFor) {
  leave_pytest();
  const std::string notices = sandbox_.root() + "/notices";
  Running next = sandbox_.start({"sh", "-c", "exec make -s fg 2>" + notices});
  EXPECT_TRUE(comes_to_contain(notices, "in the background: pytest"));
  gate_.open();
  EXPECT_TRUE(next.wait().exited_with(0));
}

TEST_F(BackgroundTest, ANestedCallOfItPasses) {
  write_recipe(pytest("hold-until " + second_.path() + " call make -s nested end") + kInBackground);
  EXPECT_TRUE(sandbox_.run({"make", "-s", "bg"}).exited_with(0));
  sandbox_.wait_for("in");
  ASSERT_TRUE(comes_to_background());
  Running next = sandbox_.start({"make", "-s", "fg"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  second_.open();
  sandbox_.wait_for("nested");
  gate_.open();
  EXPECT_TRUE(next.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("in", "nested", "out", "fg"));
}

// The shell between them is no tool; it starts the second call long after the run has ended.
TEST_F(BackgroundTest, CallsOfAShellInTheBackgroundAreNestedAsLongAsOneLives) {
  write_recipe("(" + pytest() + "; pytest trace second | pytest cat trace third)" + kInBackground);
  EXPECT_TRUE(sandbox_.run({"make", "-s", "bg"}).exited_with(0));
  sandbox_.wait_for("in");
  ASSERT_TRUE(comes_to_background());
  gate_.open();
  sandbox_.wait_for("second");
  sandbox_.wait_for("third");
  expect_free();
}

TEST_F(BackgroundTest, StopEndsIt) {
  leave_pytest();
  const Ended ended = onelane({"stop", "--yes", "--json"});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_EQ(json::parse(ended.out)["ended"].size(), 1U);
  EXPECT_FALSE(is_alive(pytest_));
  expect_free();
}

TEST_F(BackgroundTest, StealEndsIt) {
  leave_pytest();
  Running next = sandbox_.start({"make", "-s", "fg"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  const std::string id = status_of(sandbox_)["holder"]["id"];
  EXPECT_TRUE(onelane({"steal", id}).exited_with(0));
  EXPECT_FALSE(is_alive(pytest_));
  EXPECT_TRUE(next.wait().exited_with(0));
}

TEST_F(BackgroundTest, WaitWaitsForIt) {
  leave_pytest();
  Running wait = sandbox_.start(words_of({"wait"}));
  EXPECT_FALSE(eventually([&] { return !wait.is_running(); }, milliseconds{300}));
  gate_.open();
  EXPECT_TRUE(wait.wait().exited_with(0));
}

TEST_F(BackgroundTest, ItsTimeLimitHolds) {
  sandbox_.set_environment("ONELANE_TIMEOUT", "2");
  leave_pytest();
  EXPECT_TRUE(eventually([&] { return !is_alive(pytest_); }));
  expect_free();
}

TEST_F(BackgroundTest, WaitAllWaitsAsBefore) {
  sandbox_.set_environment("ONELANE_WAIT", "all");
  write_recipe(pytest() + " > log 2>&1 &");
  Running make = sandbox_.start({"make", "-s", "bg"});
  sandbox_.wait_for("in");
  EXPECT_FALSE(eventually([&] { return !make.is_running(); }, milliseconds{300}));
  EXPECT_EQ(status_of(sandbox_)["holder"]["state"], "running");
  gate_.open();
  EXPECT_TRUE(make.wait().exited_with(0));
}

TEST_F(BackgroundTest, WhoseGuardianIsKilledIsWaitedForAndItsCallsStillPass) {
  write_recipe(pytest("hold-until " + second_.path() + " call make -s nested end") + kInBackground);
  EXPECT_TRUE(sandbox_.run({"make", "-s", "bg"}).exited_with(0));
  sandbox_.wait_for("in");
  ASSERT_TRUE(comes_to_background());
  const json holder = status_of(sandbox_)["holder"];
  const std::string notices = sandbox_.root() + "/notices";
  Running next = sandbox_.start({"sh", "-c", "exec make -s fg 2>" + notices});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  ASSERT_EQ(::kill(holder["pid"].get<pid_t>(), SIGKILL), 0);
  ASSERT_TRUE(comes_to_contain(notices, "in the background; waiting for it"));
  second_.open();
  sandbox_.wait_for("nested");
  gate_.open();
  EXPECT_TRUE(next.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("in", "nested", "out", "fg"));
}

TEST_F(BackgroundTest, ItsGuardianKeepsTheLaneWhenTheSupervisorIsKilledBefore) {
  Gate foreground{sandbox_, "foreground"};
  write_recipe(pytest() + kInBackground + " && pytest trace up hold-until " + foreground.path());
  Running make = sandbox_.start({"make", "-s", "bg"});
  pytest_ = sandbox_.wait_for("in").pid;
  sandbox_.wait_for("up");
  Running next = sandbox_.start({"make", "-s", "fg"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  make.signal(SIGKILL);
  EXPECT_TRUE(make.wait().died_of(SIGKILL));
  ASSERT_TRUE(comes_to_background());
  EXPECT_TRUE(is_alive(pytest_));
  gate_.open();
  EXPECT_TRUE(next.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("in", "up", "out", "fg"));
}

TEST_F(BackgroundTest, AToolThatPassesKeepsNothing) {
  const std::string git = sandbox_.tools() + "/git";
  std::filesystem::remove(git);
  std::ofstream{git} << "#!/bin/sh\nexec probe trace in hold-until " + gate_.path() + "\n";
  std::filesystem::permissions(git, std::filesystem::perms::all);
  write_recipe("git log --all > log 2>&1 &");
  const Ended ended = sandbox_.run({"make", "-s", "bg"});
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_THAT(ended.err, testing::Not(HasSubstr("the lane is kept")));
  sandbox_.wait_for("in");
  expect_free();
  gate_.open();
}

TEST_F(BackgroundTest, NorDoesOneOnTheKeepList) {
  sandbox_.set_environment("ONELANE_KEEP", "pytest");
  write_recipe("pytest trace in hold-until " + gate_.path() + kInBackground);
  EXPECT_EQ(sandbox_.run({"make", "-s", "bg"}).err, "");
  sandbox_.wait_for("in");
  expect_free();
  gate_.open();
}

// The call in the background is about to start its tool while the run's tool ends: in either order,
// the two runs never overlap.
TEST_F(BackgroundTest, NoOverlapWhicheverIsFirst) {
  constexpr int kRounds = 40;
  for (int round = 0; round < kRounds; ++round) {
    write_recipe("pytest lock " + witness_ + " sleep 30 trace done > log 2>&1 &");
    const Ended first = sandbox_.run({"make", "-s", "bg"});
    EXPECT_TRUE(first.exited_with(0)) << first.err;
    const Ended ended = sandbox_.run({"make", "-s", "fg"});
    ASSERT_TRUE(ended.exited_with(0)) << first.err << ended.err << onelane({"runs", "list"}).out;
    sandbox_.wait_for("done", static_cast<std::size_t>(round) + 1);
  }
}

}  // namespace
}  // namespace onelane::test
