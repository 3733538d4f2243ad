#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "core/lane/admin.hpp"
#include "tests/integration/killed_run.hpp"
#include "tests/integration/status_scene.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::to_string;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST_F(StatusTest, WithoutALaneFileItHasNoHolder) {
  EXPECT_FALSE(fs::exists(state() + "/lane"));
  const auto status = json();
  EXPECT_TRUE(status["holder"].is_null());
  EXPECT_THAT(status["queue"], IsEmpty());
  EXPECT_EQ(status["lane"], state());
  EXPECT_FALSE(status.contains("git_lane"));
  EXPECT_THAT(text(), AllOf(StartsWith("lane:    project  (" + state() + ")\nholder:  none\n"),
                            HasSubstr("limits:  memory_limit_mb=")));
  EXPECT_FALSE(fs::exists(state() + "/lane"));  // looking changes nothing
}

TEST_F(StatusTest, TheHolderComesWithAllThatIsKnownOfIt) {
  sandbox_.set_environment("AI_AGENT", "tester");
  remember({"pytest", "trace", "holder", "in"}, 1h);
  Holder holder{sandbox_};
  const auto run = json()["holder"];
  EXPECT_EQ(run["pid"], holder.pid());
  EXPECT_EQ(run["agent"], "tester");
  EXPECT_EQ(run["usual_ms"], 3'600'000);
  EXPECT_EQ(run["processes"], 1);
  EXPECT_GT(run["memory_kb"], 0);
  EXPECT_EQ(run["overdue"], false);
  EXPECT_THAT(text(), ContainsRegex("holder:  pytest trace holder in .*, agent tester, for [0-9.]+"
                                    "s\\)\n         usually 1h00m · 1 process · [0-9.]+ MB · since "
                                    "[0-9][0-9]:[0-9][0-9]:[0-9][0-9]\n"));
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(StatusTest, TheQueueTellsHowLongAboutAsFarAsRunsAreKnown) {
  remember({"pytest", "trace", "holder", "in"}, 1h);
  remember({"make", "trace", "first"}, 2h);
  Holder holder{sandbox_};
  std::vector<Running> waiting;
  for (const char* name : {"first", "second", "third"}) {
    waiting.push_back(sandbox_.start({"make", "trace", name}));
    ASSERT_TRUE(comes_to_queue(sandbox_, waiting.size()));
  }
  const auto queue = json()["queue"];
  EXPECT_GT(queue[0]["eta_ms"], 3'000'000);
  EXPECT_LE(queue[0]["eta_ms"], 3'600'000);
  EXPECT_GT(queue[1]["eta_ms"], 3'600'000 * 2);
  EXPECT_TRUE(queue[2]["eta_ms"].is_null());  // it is not known how long the second takes
  EXPECT_THAT(text(), AllOf(ContainsRegex("\n1\\.       make trace first  [^\n]*, ~59m[0-9]+s to "
                                          "go\\)\n2\\.       [^\n]*, ~2h59m to go\\)\n"),
                            ContainsRegex("\n3\\.       [^\n]*, waiting [0-9.]+s\\)\n")));
  EXPECT_TRUE(holder.release().exited_with(0));
  for (Running& run : waiting) {
    EXPECT_TRUE(run.wait().exited_with(0));
  }
}

TEST_F(StatusTest, TwoRunsAreNoHabit) {
  remember({"pytest", "trace", "holder", "in"}, 1h, 2);
  Holder holder{sandbox_};
  EXPECT_TRUE(json()["holder"]["usual_ms"].is_null());
  EXPECT_THAT(text(), Not(HasSubstr("usual")));
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(StatusTest, AHolderThatTakesLongerThanUsualIsSaidToAndNothingGoesBelowZero) {
  remember({"pytest", "trace", "holder", "in"}, 1ms);
  Holder holder{sandbox_};
  Running waiting = sandbox_.start({"make", "trace", "mine"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  const auto status = json();
  EXPECT_EQ(status["holder"]["overdue"], true);
  EXPECT_EQ(status["queue"][0]["eta_ms"], 0);
  EXPECT_EQ(status["queue"][0]["overdue"], true);
  EXPECT_THAT(text(), AllOf(HasSubstr("\n         longer than the usual 0.0s · 1 process"),
                            HasSubstr(", holder longer than usual)\n")));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(waiting.wait().exited_with(0));
}

TEST_F(StatusTest, AStoppedHolderIsSaidToBeStopped) {
  WorkerRun run{sandbox_, {}};
  EXPECT_EQ(json()["holder"]["stopped"], false);
  ::kill(run.tool(), SIGSTOP);
  ASSERT_TRUE(eventually([&] { return json()["holder"]["stopped"] == true; }));
  EXPECT_THAT(text(), HasSubstr(", stopped (Ctrl-Z or SIGSTOP))\n"));
  ::kill(run.supervisor(), SIGCONT);
  ::kill(run.tool(), SIGCONT);
  run.open_gate();
  EXPECT_TRUE(run.running().wait().exited_with(0));
}

TEST_F(StatusTest, AStoppedSupervisorIsSaidToBeStopped) {
  WorkerRun run{sandbox_, {}};
  ::kill(run.supervisor(), SIGSTOP);
  ASSERT_TRUE(eventually([&] { return json()["holder"]["stopped"] == true; }));
  EXPECT_THAT(text(), HasSubstr(", supervisor stopped: kill -CONT " + to_string(run.supervisor()) +
                                ", or onelane steal " + run.id() + ")\n"));
  ::kill(run.supervisor(), SIGCONT);
  EXPECT_TRUE(eventually([&] { return json()["holder"]["stopped"] == false; }));
  run.open_gate();
  EXPECT_TRUE(run.running().wait().exited_with(0));
}

TEST_F(StatusTest, ARunWhoseCallWasKilledIsSaidToBeClearedAway) {
  sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "30");
  WorkerRun run{sandbox_, {"ignore", "TERM"}};
  run.kill_supervisor();
  ASSERT_TRUE(eventually([&] { return !json()["holder"].is_null(); }));
  EXPECT_EQ(json()["holder"]["clearing"], true);
  EXPECT_THAT(text(), HasSubstr(", killed, what it left is being ended)\n"));
  ::kill(run.worker(), SIGKILL);
  EXPECT_TRUE(eventually([&] { return json()["holder"].is_null(); }));
}

TEST_F(StatusTest, AKilledSupervisorIsDeadBeforeItIsReaped) {
  sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "30");
  WorkerRun run{sandbox_, {"ignore", "TERM"}};
  ::kill(run.supervisor(), SIGKILL);  // a zombie: its parent is this test
  ASSERT_TRUE(eventually([&] {
    const auto holder = json()["holder"];
    return holder.is_object() && holder["clearing"] == true;
  })) << text();
  ::kill(run.worker(), SIGKILL);
  EXPECT_TRUE(run.running().wait().died_of(SIGKILL));
  EXPECT_TRUE(eventually([&] { return json()["holder"].is_null(); }));
}

TEST_F(StatusTest, WhatIsLeftOfAnEndedRunIsListed) {
  WorkerRun run{sandbox_, {}};
  run.kill_both();
  const auto orphans = json()["orphans"];
  ASSERT_EQ(orphans.size(), 1U);
  EXPECT_EQ(orphans[0]["pid"], run.worker());
  EXPECT_EQ(orphans[0]["run"], run.id());
  EXPECT_THAT(text(), ContainsRegex("\norphan:  [^\n]*  \\(pid " + to_string(run.worker()) +
                                    ", run " + run.id() +
                                    ", for [^\n]*\n         `onelane orphans "
                                    "--kill` ends them\n"));
  run.open_gate();
  EXPECT_TRUE(eventually([&] { return !is_alive(run.worker()); }));
}

TEST_F(StatusTest, OnHoldSaysWhoAndWhyAndWhatEndsIt) {
  Holder holder{sandbox_};
  const lane::Table table{state(), 0600};
  EXPECT_TRUE(json()["hold"].is_null());
  lane::set_held(table, true, "disk\033[2J swap");
  Running waiting = sandbox_.start({"make", "trace", "mine"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  EXPECT_EQ(json()["on_hold"], true);
  EXPECT_EQ(json()["hold"]["reason"], "disk?[2J swap");
  EXPECT_GT(json()["hold"]["since_wall_ms"], 1'700'000'000'000);
  EXPECT_THAT(text(), AllOf(HasSubstr("\nhold:    on hold by " +
                                      json()["hold"]["by"].get<std::string>() + " for "),
                            HasSubstr(" (disk?[2J swap); nothing starts until "
                                      "`onelane release`\n")));
  EXPECT_TRUE(holder.release().exited_with(0));
  lane::set_held(table, false);
  EXPECT_TRUE(waiting.wait().exited_with(0));
}

TEST_F(StatusTest, BothLanesOfASplitProjectAreShownAlike) {
  sandbox_.set_environment("ONELANE_LANES", "split");
  Gate gate{sandbox_, "git"};
  Running git = sandbox_.start({"git", "trace", "git", "hold-until", gate.path()});
  sandbox_.wait_for("git");
  Holder holder{sandbox_};
  const auto status = json();
  EXPECT_EQ(status["git_lane"]["lane"], state() + "/git");
  EXPECT_EQ(status["git_lane"]["holder"]["pid"], git.pid());
  EXPECT_EQ(status["git_lane"]["holder"]["processes"], 1);
  EXPECT_EQ(status["holder"]["pid"], holder.pid());
  EXPECT_THAT(text(), HasSubstr("\nlane:    project (git)  (" + state() +
                                "/git)\nholder:  git trace git hold-until"));
  gate.open();
  EXPECT_TRUE(git.wait().exited_with(0));
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(StatusTest, LimitsComeWithTheirSource) {
  std::ofstream{sandbox_.project() + "/onelane.toml"} << "max_processes = 77\ntimeout = \"9m\"\n";
  sandbox_.set_environment("ONELANE_MAX_LOAD", "999");
  const auto limits = json()["limits"];
  EXPECT_EQ(limits["max_processes"]["value"], "77");
  EXPECT_EQ(limits["max_load"]["source"], "environment (ONELANE_MAX_LOAD)");
  EXPECT_EQ(limits["memory_limit_mb"]["source"], "built-in");
  EXPECT_THAT(text(),
              AllOf(HasSubstr("max_processes=77  (" + sandbox_.project() + "/onelane.toml:1)\n"),
                    HasSubstr("max_load=999  (environment (ONELANE_MAX_LOAD))\n"),
                    Not(HasSubstr("idle_timeout"))));
}

TEST_F(StatusTest, ColoursAreForWhoWantsThem) {
  Holder holder{sandbox_};
  EXPECT_THAT(text(), Not(HasSubstr("\033")));
  EXPECT_THAT(sandbox_.run(status_words({"--color=always"})).out, HasSubstr("\033[1mpytest"));
  sandbox_.set_environment("CLICOLOR_FORCE", "1");
  EXPECT_THAT(text(), HasSubstr("\033[1mpytest"));
  EXPECT_THAT(sandbox_.run(status_words({"--json"})).out, Not(HasSubstr("\033")));
  EXPECT_THAT(sandbox_.run(status_words({"--color", "never"})).out, Not(HasSubstr("\033")));
  sandbox_.set_environment("NO_COLOR", "1");
  EXPECT_THAT(text(), Not(HasSubstr("\033")));
  EXPECT_TRUE(sandbox_.run(status_words({"--color=purple"})).exited_with(64));
  EXPECT_TRUE(holder.release().exited_with(0));
}

}  // namespace
}  // namespace onelane::test
