#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>

#include "tests/support/sandbox.hpp"

namespace onelane::test {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

/// Runs in both modes: what holds with onelane must hold without it.
class PipesTest : public testing::TestWithParam<Mode> {
 protected:
  Ended bash(const std::string& script) { return sandbox_.run({"bash", "-c", script}); }
  void write_makefile(const std::string& text) {
    std::ofstream{sandbox_.project() + "/Makefile"} << text;
  }
  Sandbox sandbox_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Both, PipesTest, testing::Values(Mode::Direct, Mode::Shim),
                         [](const auto& each) { return name_of(each.param); });

TEST_P(PipesTest, StandardInputReachesTheTool) {
  EXPECT_EQ(bash("printf 'a\\nb' | make cat").out, "a\nb");
}

TEST_P(PipesTest, AReaderThatLeavesEndsTheTool) {
  const Ended ended = bash("make out-forever | head -1; echo ${PIPESTATUS[0]}");
  EXPECT_EQ(ended.out, "line\n141\n");
  EXPECT_EQ(ended.err, "");
  EXPECT_LT(ended.took.count(), 1'500);
  EXPECT_TRUE(sandbox_.wait_until_empty(std::chrono::milliseconds{500}).empty());
}

TEST_P(PipesTest, AReaderThatLeavesEndsTheWorkersToo) {
  const Ended ended =
      bash("make spawn out-forever end spawn out-forever end out-forever | head -1");
  EXPECT_EQ(ended.out, "line\n");
  EXPECT_LT(ended.took.count(), 1'500);
  EXPECT_TRUE(sandbox_.wait_until_empty(std::chrono::milliseconds{500}).empty());
}

TEST_P(PipesTest, AWriterSeesTheToolLeave) {
  // The tool reads nothing and closes its standard input: the writer must get SIGPIPE while
  // the tool still runs, so no other process may hold the reading end.
  sandbox_.add_plain_tool("writer");
  Gate gate{sandbox_};
  Running running = sandbox_.start(
      {"bash", "-c",
       "(writer out-forever; writer trace writer-ended) | make redirect 0 null hold-until " +
           gate.path()});
  sandbox_.wait_for("writer-ended");
  gate.open();
  EXPECT_TRUE(running.wait().exited_with(0));
}

TEST_P(PipesTest, AReaderSeesTheToolCloseItsOutput) {
  sandbox_.add_plain_tool("reader");
  Gate gate{sandbox_};
  Running running = sandbox_.start(
      {"bash", "-c",
       "make out hello redirect 1 null hold-until " + gate.path() + " | reader cat trace at-end"});
  sandbox_.wait_for("at-end");
  gate.open();
  EXPECT_EQ(running.wait().out, "hello\n");
}

TEST_P(PipesTest, ProcessSubstitutionIsReadable) {
  EXPECT_EQ(bash("make call cat <(echo one) <(echo two) end").out, "one\ntwo\n");
}

TEST_P(PipesTest, RealGitReadsProcessSubstitutions) {
  sandbox_.use_real("git");
  const Ended commit = bash("git commit --quiet --allow-empty -F <(echo from a pipe)");
  EXPECT_TRUE(commit.exited_with(0)) << commit.err;
  EXPECT_EQ(bash("git log --format=%s").out, "from a pipe\n");
  // Before 2.42, git compared the targets of the links; since then, the contents of the pipes.
  const Ended diff = bash("git --no-pager diff --no-index <(echo one) <(echo two)");
  EXPECT_TRUE(diff.exited_with(1)) << diff.err;
  EXPECT_THAT(diff.out, AnyOf(HasSubstr("\n-pipe:"), HasSubstr("\n-one")));
}

/// Four recipes that each wait until all four run: they end only if they run side by side.
constexpr const char* kSideBySide =
    "\tworker trace in-$@ await-trace in-a await-trace in-b await-trace in-c await-trace in-d\n";

TEST_P(PipesTest, RealMakeSharesItsJobServerWithFourSubMakes) {
  sandbox_.use_real("make");
  sandbox_.add_plain_tool("worker");
  write_makefile(
      "all: sub-a sub-b sub-c sub-d\nsub-%:\n\t+$(MAKE) --no-print-directory $*\n"
      "a b c d:\n" +
      std::string{kSideBySide} + ".PHONY: all a b c d\n");
  const Ended ended = sandbox_.run({"make", "-j4"});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(ended.out + ended.err, Not(HasSubstr("jobserver")));
}

TEST_P(PipesTest, TheJobServerOfAnOuterMakeReachesTheLane) {
  sandbox_.use_real("make");
  sandbox_.add_plain_tool("worker");
  write_makefile("outer:\n\t+make --no-print-directory inner\ninner: a b c d\na b c d:\n" +
                 std::string{kSideBySide} + ".PHONY: outer inner a b c d\n");
  const Ended ended = sandbox_.run({"/usr/bin/make", "-j4", "outer"});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(ended.out + ended.err, Not(HasSubstr("jobserver")));
}

TEST_P(PipesTest, AChildFromBeforeIsNeitherWaitedForNorEnded) {
  sandbox_.set_environment("ONELANE_LINGER", "1");
  sandbox_.add_plain_tool("early");
  Gate gate{sandbox_};
  const Ended ended = bash("early trace early hold-until " + gate.path() +
                           " trace late & exec make await-trace early exit 3");
  EXPECT_TRUE(ended.exited_with(3));
  EXPECT_EQ(ended.err, "");
  EXPECT_LT(ended.took.count(), 900);
  EXPECT_TRUE(is_alive(sandbox_.wait_for("early").pid));
  gate.open();
  sandbox_.wait_for("late");
}

}  // namespace
}  // namespace onelane::test
