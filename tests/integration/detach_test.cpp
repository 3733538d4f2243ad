#include <signal.h>

#include "core/sys/process.hpp"
#include "tests/integration/run_scene.hpp"
#include "tests/support/pty.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class DetachTest : public RunScene {
 protected:
  /// Detaches a run of these words; its id.
  std::string detach(const Words& words) {
    Words all{"--detach"};
    all.insert(all.end(), words.begin(), words.end());
    const Ended ended = run(all);
    EXPECT_TRUE(ended.exited_with(0)) << describe_status(ended.wait_status) << ended.err;
    EXPECT_EQ(ended.err, "");
    EXPECT_EQ(ended.out.find('\n'), ended.out.size() - 1) << ended.out;
    return ended.out.substr(0, ended.out.size() - 1);
  }
  /// Its exit status; waits for its end.
  Ended wait_for_end(const std::string& id) { return onelane({"wait", id, "--exit-status"}); }
};

TEST_F(DetachTest, ItReturnsWhileTheRunStillWaits) {
  Holder holder{sandbox_};
  const std::string id = detach({"--", tool(), "trace", "ran", "exit", "3"});
  EXPECT_EQ(status_of(sandbox_)["queue"][0]["id"], id);
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(wait_for_end(id).exited_with(3));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "ran"));
}

TEST_F(DetachTest, ItsOutputIsInItsLog) {
  const std::string id = detach({"--", "sh", "-c", "echo out; echo err >&2"});
  EXPECT_TRUE(wait_for_end(id).exited_with(0));
  const std::string file = path(".git/onelane/logs/" + id + ".out");
  ASSERT_TRUE(comes_to_contain(file, "err\n"));
  for (const Words& words : {Words{"logs", id}, Words{"runs", "view", id, "--log"}}) {
    EXPECT_THAT(onelane(words).out, HasSubstr("out\n"));
    EXPECT_THAT(onelane(words).out, HasSubstr("err\n"));
  }
  EXPECT_THAT(onelane({"runs", "view", id}).out, HasSubstr(file));
}

TEST_F(DetachTest, ItsLogCanBeFollowed) {
  Gate gate{sandbox_};
  const std::string id = detach(
      {"--", tool(), "out", "first", "trace", "ready", "hold-until", gate.path(), "out", "second"});
  sandbox_.wait_for("ready");
  Running following = sandbox_.start(words_of({"logs", "-f", id}));
  gate.open();
  const Ended followed = following.wait();
  EXPECT_THAT(followed.out, HasSubstr("first")) << followed.err;
  EXPECT_THAT(contents_of(path(".git/onelane/logs/" + id + ".out")), HasSubstr("second"));
}

TEST_F(DetachTest, ItHasNothingToReadAndASessionOfItsOwn) {
  const std::string id = detach({"--json", "--", "true"});
  EXPECT_THAT(json::parse(id)["id"].get<std::string>(), Not(testing::IsEmpty()));
  Gate gate{sandbox_};
  (void)detach({"--", tool(), "cat", "trace", "ready", "hold-until", gate.path()});
  const auto tool_stat = sys::read_stat(sandbox_.wait_for("ready").pid);
  ASSERT_TRUE(tool_stat);
  EXPECT_NE(tool_stat->session, ::getsid(0));
  EXPECT_EQ(tool_stat->tty, 0);
  gate.open();
  EXPECT_TRUE(sandbox_.run({"make", "exit", "0"}).exited_with(0));
}

TEST_F(DetachTest, ItOutlivesItsCallersTerminal) {
  Gate gate{sandbox_};
  {
    Terminal terminal{run_words({"--detach", "--", tool(), "trace", "ready", "hold-until",
                                 gate.path(), "trace", "done"}),
                      sandbox_.environment(), sandbox_.project()};
    sandbox_.wait_for("ready");
    terminal.hang_up();
    (void)terminal.wait();
  }
  gate.open();
  sandbox_.wait_for("done");
  EXPECT_TRUE(sandbox_.run({"make", "exit", "0"}).exited_with(0));
}

TEST_F(DetachTest, ItCanBeStopped) {
  Gate gate{sandbox_};
  const std::string id = detach({"--", tool(), "trace", "ready", "hold-until", gate.path()});
  sandbox_.wait_for("ready");
  EXPECT_TRUE(onelane({"stop", id}).exited_with(0));
  EXPECT_FALSE(wait_for_end(id).exited_with(0));
}

TEST_F(DetachTest, ItHoldsNothingOfItsCallers) {
  Gate gate{sandbox_};
  Running caller =
      start_run({"--detach", "--", tool(), "trace", "ready", "hold-until", gate.path()});
  sandbox_.wait_for("ready");
  EXPECT_TRUE(caller.output_closes(kDeadline));
  EXPECT_TRUE(caller.wait().exited_with(0));
  gate.open();
  EXPECT_TRUE(sandbox_.run({"make", "exit", "0"}).exited_with(0));
}

TEST_F(DetachTest, BelowTheHolderItIsRefused) {
  const Ended ended = sandbox_.run({"make", "call", onelane_of(sandbox_), "run", "--detach", "--",
                                    tool(), "trace", "ran", "end"});
  EXPECT_THAT(ended.err, HasSubstr("it would wait for what waits for it"));
  EXPECT_TRUE(sandbox_.texts("ran").empty());
}

}  // namespace
}  // namespace onelane::test
