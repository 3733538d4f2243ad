#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "tests/integration/workplace.hpp"

namespace onelane::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Words = std::vector<std::string>;

/// An adopted project.
class RunCommandTest : public testing::Test {
 protected:
  RunCommandTest() { shop_.must({"init"}); }

  [[nodiscard]] std::string onelane() { return shop_.sandbox().root() + "/admin/onelane"; }
  [[nodiscard]] bool is_waiting(const std::string& command) {
    return shop_.onelane({"status"}).out.find("1.       " + command) != std::string::npos;
  }

  Workplace shop_;
};

TEST_F(RunCommandTest, AnyCommandWaitsForTheHolder) {
  Gate gate{shop_.sandbox()};
  Running holder =
      shop_.start({"make", "trace", "ready", "hold-until", gate.path(), "trace", "made"});
  shop_.sandbox().wait_for("ready");
  Running run =
      shop_.start({onelane(), "run", "--", shop_.sandbox().tools() + "/npm", "trace", "ran"});
  ASSERT_TRUE(eventually([&] { return is_waiting("npm trace ran"); }))
      << shop_.onelane({"status"}).out;
  gate.open();
  EXPECT_TRUE(holder.wait().exited_with(0));
  EXPECT_TRUE(run.wait().exited_with(0));
  EXPECT_THAT(shop_.sandbox().texts(), ElementsAre("ready", "made", "ran"));
}

TEST_F(RunCommandTest, AShimWaitsForIt) {
  Gate gate{shop_.sandbox()};
  Running run = shop_.start({onelane(), "run", "--", shop_.sandbox().tools() + "/npm", "trace",
                             "ready", "hold-until", gate.path(), "trace", "ran"});
  shop_.sandbox().wait_for("ready");
  Running make = shop_.start({"make", "trace", "made"});
  ASSERT_TRUE(eventually([&] { return is_waiting("make trace made"); }));
  gate.open();
  EXPECT_TRUE(run.wait().exited_with(0));
  EXPECT_TRUE(make.wait().exited_with(0));
  EXPECT_THAT(shop_.sandbox().texts(), ElementsAre("ready", "ran", "made"));
}

TEST_F(RunCommandTest, ToolsBelowItPass) {
  const Ended ended = shop_.onelane({"run", "--", "sh", "-c", "make call npm trace deep end"});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(shop_.sandbox().texts(), ElementsAre("deep"));
}

TEST_F(RunCommandTest, OnelaneItselfIsRunAsItIs) {
  std::filesystem::create_symlink(onelane(), shop_.sandbox().shims() + "/onelane");
  for (const std::string& self : {onelane(), std::string{"onelane"}}) {
    const Ended ended = shop_.must({"run", "--", self, "run", "--", self, "run", "echo", "hi"});
    EXPECT_EQ(ended.out, "hi\n");
    EXPECT_EQ(ended.err, "");
    EXPECT_THAT(shop_.must({"run", "--", self, "status"}).out,
                HasSubstr("holder:  onelane status"));
  }
}

TEST_F(RunCommandTest, SoAreItsOtherNamesButNoShim) {
  for (const std::string name : {"seq", "safe-run", "make"}) {
    std::filesystem::create_symlink(onelane(), shop_.path(name));
  }
  EXPECT_EQ(shop_.must({"run", "--", "./safe-run", "./seq", "echo", "hi"}).out, "hi\n");
  EXPECT_EQ(shop_.must({"run", "--", "seq", "2"}).out, "1\n2\n");  // the seq of the system
  EXPECT_EQ(shop_.must({"run", "--", "./make", "out", "made"}).out, "made\n");
}

TEST_F(RunCommandTest, EndsAsTheCommandEnds) {
  for (const int code : {0, 1, 7, 124, 255}) {
    const Ended ended = shop_.onelane({"run", "--", "sh", "-c", "exit " + std::to_string(code)});
    EXPECT_TRUE(ended.exited_with(code)) << describe_status(ended.wait_status);
    EXPECT_EQ(ended.err, "");
  }
  EXPECT_TRUE(shop_.onelane({"run", "--", "sh", "-c", "kill -TERM $$"}).died_of(SIGTERM));
}

TEST_F(RunCommandTest, WaitsForAllDescendants) {
  Gate gate{shop_.sandbox()};
  Running run =
      shop_.start({onelane(), "run", "--", shop_.sandbox().tools() + "/npm", "spawn", "trace",
                   "worker", "hold-until", gate.path(), "trace", "done", "end", "exit", "3"});
  shop_.sandbox().wait_for("worker");
  // The lane stays taken: the next run may not start before the worker has ended.
  Running next = shop_.start({"make", "trace", "next"});
  ASSERT_TRUE(eventually([&] { return is_waiting("make trace next"); }));
  EXPECT_TRUE(run.is_running());
  gate.open();
  EXPECT_TRUE(run.wait().exited_with(3));
  EXPECT_TRUE(next.wait().exited_with(0));
  EXPECT_THAT(shop_.sandbox().texts(), ElementsAre("worker", "done", "next"));
}

TEST_F(RunCommandTest, SaysAfterASecondWhatItWaitsFor) {
  Gate gate{shop_.sandbox()};
  shop_.sandbox().add_plain_tool("server");
  const std::string errors = shop_.path("errors");
  Running run = shop_.start({"sh", "-c",
                             "exec \"$0\" run -- sh -c 'server trace up hold-until " + gate.path() +
                                 " >/dev/null 2>&1 & echo bg' 2>" + errors,
                             onelane()});
  const pid_t server = shop_.sandbox().wait_for("up").pid;
  ASSERT_TRUE(eventually([&] { return !shop_.read("errors").empty(); }));
  EXPECT_TRUE(run.is_running());
  gate.open();
  const Ended ended = run.wait();
  EXPECT_TRUE(ended.exited_with(0)) << describe_status(ended.wait_status);
  EXPECT_EQ(ended.out, "bg\n");
  const std::string said = shop_.read("errors");
  EXPECT_EQ(lines_of(said).size(), 1U) << said;
  EXPECT_THAT(said, StartsWith("onelane: sh -c "));
  EXPECT_THAT(said, HasSubstr(" has ended; waiting for all that it has started: server"));
  EXPECT_THAT(said, HasSubstr("(pid " + std::to_string(server) + ")"));
}

TEST_F(RunCommandTest, NoWaitGivesUpAtOnceWhileTheLaneIsTaken) {
  Gate gate{shop_.sandbox()};
  Running holder = shop_.start({"make", "trace", "ready", "hold-until", gate.path()});
  shop_.sandbox().wait_for("ready");
  const Ended refused = shop_.onelane({"run", "--no-wait", "--", "sh", "-c", "exit 0"});
  EXPECT_TRUE(refused.exited_with(75)) << describe_status(refused.wait_status);
  EXPECT_THAT(refused.err, StartsWith("onelane: "));
  EXPECT_EQ(lines_of(refused.err).size(), 1U) << refused.err;
  gate.open();
  EXPECT_TRUE(holder.wait().exited_with(0));
  EXPECT_TRUE(shop_.onelane({"run", "--no-wait", "--", "sh", "-c", "exit 4"}).exited_with(4));
}

TEST_F(RunCommandTest, AHigherPriorityGoesFirst) {
  Gate gate{shop_.sandbox()};
  Running holder = shop_.start({"make", "trace", "ready", "hold-until", gate.path()});
  shop_.sandbox().wait_for("ready");
  Running low = shop_.start({"pytest", "trace", "low"});
  ASSERT_TRUE(eventually([&] { return is_waiting("pytest trace low"); }));
  const std::string npm = shop_.sandbox().tools() + "/npm";
  Running high = shop_.start({onelane(), "run", "--priority", "5", "--", npm, "trace", "high"});
  ASSERT_TRUE(eventually([&] { return is_waiting("npm trace high"); }));
  gate.open();
  EXPECT_TRUE(holder.wait().exited_with(0));
  EXPECT_TRUE(low.wait().exited_with(0));
  EXPECT_TRUE(high.wait().exited_with(0));
  EXPECT_THAT(shop_.sandbox().texts(), ElementsAre("ready", "high", "low"));
}

TEST_F(RunCommandTest, OptionsAfterTheCommandAreTheCommands) {
  EXPECT_EQ(shop_.must({"run", "echo", "--no-wait", "--help", "--", "-x"}).out,
            "--no-wait --help -- -x\n");
  EXPECT_EQ(shop_.must({"run", "--", "echo", "--", "a"}).out, "-- a\n");
}

TEST_F(RunCommandTest, WhatCannotBeRunSaysSo) {
  EXPECT_TRUE(shop_.onelane({"run"}).exited_with(64));
  EXPECT_TRUE(shop_.onelane({"run", "--"}).exited_with(64));
  EXPECT_TRUE(shop_.onelane({"run", "--priority", "many", "--", "true"}).exited_with(64));
  const Ended missing = shop_.onelane({"run", "--", "no-such-command"});
  EXPECT_TRUE(missing.exited_with(127));
  EXPECT_THAT(missing.err, HasSubstr("no-such-command"));
  EXPECT_TRUE(shop_.onelane({"run", "--", "./nothing"}).exited_with(127));
  shop_.write("plain.txt", "text\n");
  const Ended plain = shop_.onelane({"run", "--", "./plain.txt"});
  EXPECT_TRUE(plain.exited_with(126)) << describe_status(plain.wait_status);
  EXPECT_EQ(lines_of(plain.err).size(), 1U) << plain.err;
}

TEST_F(RunCommandTest, ACommandInOneWordIsRefusedWithAHint) {
  const Ended ended = shop_.onelane({"run", "make test"});
  EXPECT_TRUE(ended.exited_with(64)) << describe_status(ended.wait_status);
  EXPECT_THAT(ended.err, HasSubstr("`onelane run -- make test`"));
  shop_.write("two words", "#!/bin/sh\nexit 5\n");
  ASSERT_TRUE(shop_.run({"chmod", "+x", "two words"}).exited_with(0));
  EXPECT_TRUE(shop_.onelane({"run", "./two words"}).exited_with(5));
}

TEST_F(RunCommandTest, BadValuesAreBadUsage) {
  for (const auto& [option, value] : {std::pair{"--timeout", "soon"},
                                      {"--memory", "much"},
                                      {"--max-processes", "-1"},
                                      {"--kill-signal", "NONE"},
                                      {"--retry", "often"},
                                      {"--retry-delay", "later"}}) {
    const Ended ended = shop_.onelane({"run", option, value, "--", "true"});
    EXPECT_TRUE(ended.exited_with(64)) << option << describe_status(ended.wait_status);
    EXPECT_THAT(ended.err, HasSubstr(option));
  }
}

TEST_F(RunCommandTest, AWordThatIsNoOptionIsNotDropped) {
  const auto expect_refused = [&](Words words, const std::string& what) {
    const Ended ended = shop_.onelane(words);
    EXPECT_TRUE(ended.exited_with(64)) << what << describe_status(ended.wait_status);
    EXPECT_EQ(ended.out, "");
    EXPECT_EQ(lines_of(ended.err).size(), 1U) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(what));
  };
  const std::string meant = "no option --no-wate; did you mean --no-wait?";
  expect_refused({"run", "--no-wate", "--", "echo", "hi"}, meant);
  expect_refused({"run", "--no-wate", "echo", "hi"}, meant);
  expect_refused({"run", "--json", "--retries=1", "--", "false"}, "no option --retries=1");
  expect_refused({"explain", "--limits-only", "--", "make"}, "no option --limits-only");
  for (const char* option :
       {"--release-on-ready=3000", "--limits-only", "--detach", "--pipeline-timeout=1s"}) {
    expect_refused({"queue", "add", option, "--", "true"}, std::string{"no option "} + option);
  }
  EXPECT_THAT(shop_.must({"queue", "status"}).out, testing::Not(HasSubstr("true")));
}

TEST_F(RunCommandTest, AnEmptyValueTakesNoWordAndDashesAreNoValue) {
  for (const Words& words : {Words{"run", "--log=", "--", "echo", "hi"},
                             {"run", "--log=", "echo", "hi"},
                             {"run", "--log", "--", "echo", "hi"},
                             {"run", "--release-on-ready=", "--", "echo", "x"},
                             {"queue", "add", "--log=", "--", "true"},
                             {"queue", "add", "--log", "--", "true"}}) {
    const Ended ended = shop_.onelane(words);
    EXPECT_TRUE(ended.exited_with(64)) << words[1] << describe_status(ended.wait_status);
    EXPECT_EQ(ended.out, "");
    EXPECT_EQ(lines_of(ended.err).size(), 1U) << ended.err;
    const std::string& option = words[words[0] == "queue" ? 2 : 1];
    EXPECT_THAT(ended.err, HasSubstr(option.substr(0, option.find('='))));
  }
  EXPECT_NE(shop_.run({"test", "-e", "--"}).wait_status, 0) << "no file of that name";
  EXPECT_EQ(shop_.must({"run", "--label=", "--", "echo", "hi"}).out, "hi\n");
}

TEST_F(RunCommandTest, OptionsThatMeanNothingTogetherAreRefused) {
  for (const auto& [words, what] :
       {std::pair<Words, const char*>{{"run", "--retry-delay=1s", "--", "true"},
                                      "--retry-delay requires --retry"},
        {{"queue", "add", "--retry-delay=1s", "--", "true"}, "--retry-delay requires --retry"},
        {{"run", "--limits-only", "--no-wait", "--", "true"}, "excludes"},
        {{"run", "--timeout=1", "--timeout=2", "--", "true"}, "--timeout is given twice"},
        {{"logs", "--tail", "x"}, "--tail: 'x' is not a whole number"},
        {{"init", "--limits"}, "--limits needs a value"}}) {
    const Ended ended = shop_.onelane(words);
    EXPECT_TRUE(ended.exited_with(64)) << what << describe_status(ended.wait_status);
    EXPECT_EQ(lines_of(ended.err).size(), 1U) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(what));
  }
  shop_.must({"queue", "add", "--retry=1", "--", "true"});
  shop_.must({"queue", "edit", "1", "--retry-delay=1s"});
  shop_.must({"queue", "add", "--", "true"});
  EXPECT_TRUE(shop_.onelane({"queue", "edit", "2", "--retry-delay=1s"}).exited_with(64));
}

TEST_F(RunCommandTest, HelpNamesAValueTheSameWayEverywhere) {
  for (const char* verb : {"add", "edit"}) {
    const std::string help = shop_.must({"help", "queue", verb}).out;
    for (const char* row : {"--timeout DURATION", "--retry-delay DURATION", "--log FILE",
                            "--kill-signal SIGNAL", "--memory MB", "--max-processes N"}) {
      EXPECT_THAT(help, HasSubstr(row));
      EXPECT_THAT(shop_.must({"help", "run"}).out, HasSubstr(row));
    }
  }
  EXPECT_THAT(shop_.must({"help", "queue", "start"}).out, HasSubstr("--pipeline-timeout DURATION"));
  EXPECT_THAT(shop_.must({"help", "run"}).out, HasSubstr("--atoms[=pytest-file]"));
  EXPECT_THAT(shop_.must({"help", "run"}).out, HasSubstr("--atoms=pytest-file"));
}

TEST_F(RunCommandTest, ExplainNamesABadSettingOfTheEnvironment) {
  shop_.sandbox().set_environment("ONELANE_COALESCE", "make*");
  for (const char* command : {"make", "git"}) {
    const Ended ended = shop_.onelane({"explain", "--", command, "status"});
    EXPECT_TRUE(ended.exited_with(0)) << ended.err;
    EXPECT_EQ(lines_of(ended.err).size(), 1U) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("ONELANE_COALESCE"));
    EXPECT_THAT(ended.err, HasSubstr("'make*' is not a call; accepted: TOOL or "));
    EXPECT_THAT(ended.err, HasSubstr("test-*"));
  }
}

TEST(RunCommandElsewhereTest, WithoutAProjectItSaysSoAndRunsTheCommand) {
  Workplace shop;
  const Ended ended = shop.onelane({"run", "--", "sh", "-c", "exit 9"});
  EXPECT_TRUE(ended.exited_with(9));
  EXPECT_THAT(ended.err, HasSubstr("running without the lane"));
}

}  // namespace
}  // namespace onelane::test
