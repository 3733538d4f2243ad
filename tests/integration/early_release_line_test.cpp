#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/early_release_scene.hpp"
#include "tests/support/pty.hpp"

namespace onelane::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class ReleaseOnLineTest : public EarlyReleaseScene {
 protected:
  void expect_service_and_end(Running& server) {
    ASSERT_TRUE(becomes_service());
    expect_free_lane();
    gate_.open();
    EXPECT_TRUE(server.wait().exited_with(0));
  }
};

TEST_F(ReleaseOnLineTest, ALineOfStandardOutput) {
  Running server = start_server("ready in", {"out", "not yet", "out", "ready in 3 s"});
  ASSERT_TRUE(becomes_service());
  expect_free_lane();
  gate_.open();
  const Ended ended = server.wait();
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_EQ(ended.out, "not yet\nready in 3 s\n");
  EXPECT_THAT(ended.err, HasSubstr(": ready (a line has \"ready in\"); gives the lane back"));
}

TEST_F(ReleaseOnLineTest, TheNoticeComesAfterTheLine) {
  Start merged;
  merged.before_exec = [] { ::dup2(1, 2); };
  Running server =
      sandbox_.start(run_words(server_words("ready in", {"out", "ready in 3 s"})), merged);
  ASSERT_TRUE(becomes_service());
  gate_.open();
  EXPECT_THAT(server.wait().out, StartsWith("ready in 3 s\nonelane: "));
}

TEST_F(ReleaseOnLineTest, ACallerThatDoesNotReadDoesNotKeepTheLane) {
  Running server =
      start_server("ready in", {"out-bytes", "70000", "out", "", "out", "ready in 3 s"});
  expect_service_and_end(server);
}

TEST_F(ReleaseOnLineTest, ALineOfStandardError) {
  Running server = start_server("Listening", {"err", "-- Listening --"});
  expect_service_and_end(server);
}

TEST_F(ReleaseOnLineTest, AColouredLineInPiecesWithoutItsEnd) {
  Running server =
      start_server("ready in", {"out-part", "  \x1b[32;1mre", "out-part", "ady\x1b[", "out-part",
                                "0m in \x1b]8;;http://a\x1b", "out-part", "\\3 s"});
  expect_service_and_end(server);
}

TEST_F(ReleaseOnLineTest, WhatIsInTwoLinesOrInTheNameIsNotSeen) {
  sandbox_.set_environment("ONELANE_MEMORY_LIMIT_MB", "0");
  Running server = start_server("not ready", {"out", "not", "out", "ready", "trace", "not ready"});
  Running next = queue("next");
  ASSERT_TRUE(holds_for(300));
  EXPECT_THAT(services(), IsEmpty());
  EXPECT_EQ(status_of(sandbox_)["holder"]["until"], "a line has \"not ready\"");
  gate_.open();
  EXPECT_TRUE(server.wait().exited_with(0));
  EXPECT_TRUE(next.wait().exited_with(0));
}

TEST_F(ReleaseOnLineTest, OurOwnNoticeThatNamesTheTextIsNotSeen) {
  sandbox_.set_environment("ONELANE_RELEASE_ON_READY", "make=waiting");
  Holder holder{sandbox_};
  Terminal terminal{{"make", "trace", "serving", "hold-until", gate_.path(), "trace", "served"},
                    sandbox_.environment(),
                    sandbox_.project()};
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  terminal.expect("waiting");
  EXPECT_TRUE(holder.release().exited_with(0));
  sandbox_.wait_for("serving");
  Running next = queue("next");
  ASSERT_TRUE(holds_for(300));
  EXPECT_THAT(services(), IsEmpty());
  gate_.open();
  EXPECT_TRUE(next.wait().exited_with(0));
  (void)terminal.wait();
}

TEST_F(ReleaseOnLineTest, IfTheOutputCannotBeReadTheServerKeepsTheLane) {
  const std::string strace = "/usr/bin/strace";
  if (::access(strace.c_str(), X_OK) != 0) {
    GTEST_SKIP() << "there is no strace";
  }
  sandbox_.set_environment("ONELANE_RELEASE_ON_READY", "make=ready in");
  Running server = sandbox_.start({strace, "-qq", "-o", "/dev/null", "-e", "trace=socketpair", "-e",
                                   "inject=socketpair:error=EMFILE:when=1", "make", "out",
                                   "ready in 3 s", "trace", "serving", "hold-until", gate_.path()});
  sandbox_.wait_for("serving");
  ASSERT_TRUE(holds_for(300));
  gate_.open();
  const Ended ended = server.wait();
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_EQ(ended.out, "ready in 3 s\n");
  EXPECT_THAT(ended.err, HasSubstr("the lane is kept until make has ended"));
}

TEST_F(ReleaseOnLineTest, OnATerminalTheServerKeepsOne) {
  sandbox_.set_environment("ONELANE_RELEASE_ON_READY", "make:server=ready in");
  sandbox_.use_real("make");
  std::ofstream{path("Makefile")} << "server:\n\t@test -t 1 && printf '\\033[32mready\\033[0m in 5 "
                                     "ms\\n' && exec "
                                  << tool() << " catch INT trace serving wait-signal INT\n"
                                  << "next:\n\t@" << tool() << " trace next\n";
  Terminal terminal{{"make", "server"}, sandbox_.environment(), sandbox_.project()};
  terminal.expect("gives the lane back");
  EXPECT_TRUE(sandbox_.run({"make", "next"}).exited_with(0));
  sandbox_.wait_for("serving");
  terminal.interrupt();
  const int status = terminal.wait();
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) != 0) << describe_status(status);
  EXPECT_THAT(services(), IsEmpty());
}

TEST_F(ReleaseOnLineTest, ADetachedRunGivesItBackToo) {
  const Ended detached = run({"--detach", "--release-on-ready=ready in", "--", tool(), "out",
                              "ready in 3 s", "trace", "serving", "hold-until", gate_.path()});
  ASSERT_TRUE(detached.exited_with(0)) << detached.err;
  ASSERT_TRUE(becomes_service());
  expect_free_lane();
  const std::string id = detached.out.substr(0, 11);
  EXPECT_EQ(services()[0]["id"], id);
  gate_.open();
  EXPECT_TRUE(onelane({"wait", id, "--exit-status"}).exited_with(0));
  EXPECT_THAT(onelane({"logs", id}).out, HasSubstr("ready in 3 s"));
}

TEST_F(ReleaseOnLineTest, ItsOutputAsJsonIsWhole) {
  Words words = server_words("ready in", {"out", "ready in 3 s"});
  words.insert(words.begin(), "--json");
  Running server = start_run(words);
  ASSERT_TRUE(becomes_service());
  gate_.open();
  const auto result = nlohmann::json::parse(server.wait().out);
  EXPECT_EQ(result["stdout"], "ready in 3 s\n");
  EXPECT_EQ(result["code"], 0);
}

}  // namespace
}  // namespace onelane::test
