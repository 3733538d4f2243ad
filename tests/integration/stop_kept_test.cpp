#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/killed_run.hpp"
#include "tests/integration/lane_scene.hpp"

// Which processes of a run `onelane stop` spares, and which it does not.
namespace onelane::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using Words = std::vector<std::string>;

class StopKeptTest : public testing::Test {
 protected:
  StopKeptTest() {
    sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "1");
    sandbox_.set_environment("ONELANE_LINGER", "1");
  }

  Ended stop(const Words& options) {
    Words argv{onelane_of(sandbox_), "stop"};
    argv.insert(argv.end(), options.begin(), options.end());
    return sandbox_.run(argv);
  }

  /// The run has ended, with all that belonged to it.
  void expect_gone(WorkerRun& run) {
    EXPECT_FALSE(is_alive(run.tool()));
    EXPECT_FALSE(is_alive(run.worker()));
    EXPECT_FALSE(run.running().wait().exited_with(0));
    EXPECT_TRUE(status_of(sandbox_)["kept"].empty());
  }

  Sandbox sandbox_{Mode::Shim};
};

/// Where a process may have redirected its stdio.
class StopOfNothingTest : public StopKeptTest, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Each, StopOfNothingTest, testing::Values("null", "closed", "own.log"),
                         [](const auto& each) { return std::string{each.param}.substr(0, 3); });

TEST_P(StopOfNothingTest, NothingOfTheRunIsNoReasonToLiveOn) {
  const char* const to = GetParam();
  WorkerRun run{sandbox_, {"redirect", "0", to, "redirect", "1", to, "redirect", "2", to}};
  const Ended ended = stop({"--yes", "--json"});
  EXPECT_TRUE(ended.exited_with(0)) << ended.out << ended.err;
  EXPECT_TRUE(json::parse(ended.out)["kept"].empty()) << ended.out;
  expect_gone(run);
}

TEST_F(StopKeptTest, NorIsNohup) {
  WorkerRun run{sandbox_,
                {"ignore", "HUP", "redirect", "0", "null", "redirect", "1", "own.log", "redirect",
                 "2", "own.log"}};
  EXPECT_TRUE(stop({"--yes"}).exited_with(0));
  expect_gone(run);
}

TEST_F(StopKeptTest, WhatAnEndedRunHasLeftRunningIsEndedByItsId) {
  Gate gate{sandbox_, "left"};
  const Ended ended = sandbox_.run({"make", "spawn", "redirect", "0", "null", "redirect", "1",
                                    "own.log", "redirect", "2", "own.log", "trace", "left",
                                    "hold-until", gate.path(), "end", "await-trace", "left"});
  EXPECT_TRUE(ended.exited_with(0));
  const pid_t left = sandbox_.wait_for("left").pid;
  EXPECT_TRUE(is_alive(left));
  const json kept = status_of(sandbox_)["kept"];
  ASSERT_EQ(kept.size(), 1U) << kept;
  const std::string id = kept[0]["run"];
  EXPECT_THAT(ended.err, HasSubstr("`onelane stop " + id + "` ends it"));
  const Ended asked = stop({});
  EXPECT_TRUE(asked.exited_with(0));
  EXPECT_THAT(asked.out, HasSubstr("nothing runs here\nrun " + id + " has left "));
  EXPECT_TRUE(is_alive(left));
  EXPECT_TRUE(stop({id}).exited_with(0));
  EXPECT_FALSE(is_alive(left));
  EXPECT_EQ(stop({}).out, "nothing runs here\n");
}

TEST_F(StopKeptTest, AListedOneIsLeftAndNamedAlsoWhenTheToolHasToBeKilled) {
  // The tool is itself on the keep list, which is no reason to spare it.
  sandbox_.add_plain_tool("postgres");
  sandbox_.add_plain_tool("redis-server");
  Gate gate{sandbox_, "listed"};
  const Words admin{onelane_of(sandbox_), "run", "--"};
  Words argv = admin;
  for (const std::string& word :
       Words{"postgres", "ignore",       "TERM",       "trace",    "tool",        "spawn",
             "exec",     "redis-server", "trace",      "listed",   "hold-until",  gate.path(),
             "trace",    "late",         "end",        "end",      "await-trace", "listed",
             "trace",    "ready",        "hold-until", gate.path()}) {
    argv.push_back(word);
  }
  Running run = sandbox_.start(argv);
  sandbox_.wait_for("ready");
  const pid_t tool = sandbox_.wait_for("tool").pid;
  const pid_t listed = sandbox_.wait_for("listed").pid;
  const std::string id = status_of(sandbox_)["holder"]["id"];
  const Ended ended = stop({id, "--json"});
  EXPECT_TRUE(ended.exited_with(1)) << ended.out << ended.err;
  (void)run.wait();
  const json kept = json::parse(ended.out)["kept"];
  ASSERT_EQ(kept.size(), 1U) << ended.out;
  EXPECT_EQ(kept[0]["pid"], listed);
  EXPECT_EQ(kept[0]["why"], "listed");
  EXPECT_EQ(kept[0]["run"], id);
  EXPECT_FALSE(is_alive(tool));
  EXPECT_TRUE(is_alive(listed));
  EXPECT_THAT(stop({id}).out,
              HasSubstr("(pid " + std::to_string(listed) + "), which is on the keep list"));
  gate.open();
  sandbox_.wait_for("late");
}

TEST_F(StopKeptTest, ADaemonIsLeftAndNamed) {
  WorkerRun run{sandbox_,
                {"fork-away", "setsid", "redirect", "0", "null", "redirect", "1", "null",
                 "redirect", "2", "null"}};
  const Ended ended = stop({"--yes", "--json"});
  EXPECT_TRUE(ended.exited_with(1)) << ended.err;
  const json said = json::parse(ended.out);
  EXPECT_EQ(said["schema"], 1);
  EXPECT_EQ(said["ended"], json::array({run.id()}));
  ASSERT_EQ(said["kept"].size(), 1U) << said;
  EXPECT_EQ(said["kept"][0]["pid"], run.worker());
  EXPECT_EQ(said["kept"][0]["run"], run.id());
  EXPECT_EQ(said["kept"][0]["why"], "detached");
  EXPECT_NE(said["kept"][0]["command"], "");
  EXPECT_FALSE(is_alive(run.tool()));
  EXPECT_TRUE(is_alive(run.worker()));
  run.open_gate();
  sandbox_.wait_for("late");
}

}  // namespace
}  // namespace onelane::test
