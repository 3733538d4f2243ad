#include <signal.h>
#include <sys/wait.h>

#include "tests/integration/early_release_scene.hpp"
#include "tests/support/pty.hpp"

namespace onelane::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// What happens to a server before and after it gives the lane back.
class EarlyReleaseLifeTest : public EarlyReleaseScene {
 protected:
  Running start_ready_server() {
    Running server = start_server(port_, {"listen", "4", port_});
    EXPECT_TRUE(becomes_service());
    return server;
  }
};

TEST_F(EarlyReleaseLifeTest, ItsOwnCallQueuesAfterTheRelease) {
  Running server =
      start_run({"--release-on-ready=" + port_, "--", tool(), "listen", "4", port_, "await-trace",
                 "holder in", "call", "pytest", "trace", "inner", "end", "trace", "served"});
  ASSERT_TRUE(becomes_service());
  Holder holder{sandbox_};
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  EXPECT_THAT(sandbox_.texts("inner"), IsEmpty());
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(server.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "inner", "served"));
}

TEST_F(EarlyReleaseLifeTest, ItsOwnCallPassesBeforeTheRelease) {
  Running server = start_run({"--release-on-ready=" + port_, "--", tool(), "call", "make", "trace",
                              "inner", "end", "listen", "4", port_, "hold-until", gate_.path()});
  sandbox_.wait_for("inner");
  ASSERT_TRUE(becomes_service());
  gate_.open();
  EXPECT_TRUE(server.wait().exited_with(0));
}

TEST_F(EarlyReleaseLifeTest, ASupervisorKilledAfterwardsTakesOnlyItsOwnTreeAlong) {
  Running server = start_ready_server();
  const pid_t tool_pid = sandbox_.wait_for("serving").pid;
  const std::string id = services()[0]["id"];
  Holder holder{sandbox_};
  Running next = queue("next");
  server.signal(SIGKILL);
  EXPECT_TRUE(server.wait().died_of(SIGKILL));
  EXPECT_TRUE(eventually([&] { return !is_alive(tool_pid); }));
  EXPECT_TRUE(eventually([&] { return services().empty(); }));
  EXPECT_TRUE(eventually([&] { return journal().size() == 1; }));
  EXPECT_EQ(journal()[0]["id"], id);
  EXPECT_EQ(journal()[0]["reason"], "crashed");
  EXPECT_GT(journal()[0]["released_ms"], 0);
  EXPECT_EQ(status_of(sandbox_)["queue"].size(), 1U);
  EXPECT_THAT(sandbox_.texts("next"), IsEmpty());
  EXPECT_TRUE(holder.release().exited_with(0));
  const Ended ended = next.wait();
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_THAT(ended.err, testing::Not(HasSubstr("the last run in this lane was killed")));
}

TEST_F(EarlyReleaseLifeTest, ASupervisorKilledBeforeIsClearedAwayAfterAsEver) {
  Running server = start_server(port_, {"spawn", "trace", "worker", "hold-until", gate_.path(),
                                        "end", "await-trace", "worker"});
  const pid_t worker = sandbox_.wait_for("worker").pid;
  Running next = queue("next");
  server.signal(SIGKILL);
  EXPECT_TRUE(server.wait().died_of(SIGKILL));
  EXPECT_TRUE(next.wait().exited_with(0));
  EXPECT_FALSE(is_alive(worker));
  EXPECT_FALSE(journal().at(0).contains("released_ms"));
}

TEST_F(EarlyReleaseLifeTest, StatusSaysSoAndStopEndsIt) {
  Running server = start_ready_server();
  EXPECT_THAT(onelane({"status"}).out, HasSubstr(", gave the lane back after "));
  const std::string id = services()[0]["id"];
  Holder holder{sandbox_};
  const Ended stopped = onelane({"stop", id, "--yes"});
  EXPECT_TRUE(stopped.exited_with(0)) << stopped.err;
  EXPECT_TRUE(server.wait().died_of(SIGTERM));
  EXPECT_EQ(sandbox_.texts("holder out").size(), 0U);
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_EQ(journal().at(0)["reason"], "stopped");
  EXPECT_THAT(onelane({"runs", "view", id}).out, HasSubstr("given back after"));
}

TEST_F(EarlyReleaseLifeTest, CtrlZStopsItAsAJobAndCtrlCEndsIt) {
  sandbox_.set_environment("ONELANE_RELEASE_ON_READY", "make=" + port_);
  Shell shell{Shell::Kind::Bash, sandbox_.environment(), sandbox_.project()};
  shell.type("make listen 4 " + port_ + " trace serving sleep 100000");
  const pid_t tool_pid = sandbox_.wait_for("serving").pid;
  ASSERT_TRUE(becomes_service());
  shell.terminal().suspend();
  shell.wait_for_prompt();
  EXPECT_EQ(shell.last_status(), 128 + SIGTSTP);
  EXPECT_EQ(services().at(0)["stopped"], true);
  expect_free_lane();
  shell.type("fg");
  ASSERT_TRUE(eventually([&] { return services().at(0)["stopped"] == false; }));
  shell.terminal().interrupt();
  shell.wait_for_prompt();
  EXPECT_EQ(shell.last_status(), 128 + SIGINT);
  EXPECT_FALSE(is_alive(tool_pid));
}

TEST_F(EarlyReleaseLifeTest, StatusOfTheHolderSaysUntilWhen) {
  Running server = start_server(port_, {});
  EXPECT_THAT(onelane({"status"}).out, HasSubstr(", until port " + port_ + " listens"));
  gate_.open();
  EXPECT_TRUE(server.wait().exited_with(0));
}

TEST_F(EarlyReleaseLifeTest, StealEndsItThoughItsSupervisorHangs) {
  Running server = start_ready_server();
  const std::string id = services()[0]["id"];
  Holder holder{sandbox_};
  server.signal(SIGSTOP);
  const Ended stolen = onelane({"steal", id});
  EXPECT_TRUE(stolen.exited_with(0)) << stolen.err;
  EXPECT_THAT(services(), IsEmpty());
  EXPECT_FALSE(status_of(sandbox_)["holder"].is_null());
  (void)server.wait();
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(EarlyReleaseLifeTest, AKilledGuardianIsReplacedAndDoesItsDuty) {
  Running server = start_ready_server();
  const pid_t first = guardian_of(server.pid());
  ::kill(first, SIGKILL);
  ASSERT_TRUE(eventually([&] {
    const pid_t now = guardian_of(server.pid());
    return now > 0 && now != first;
  }));
  const pid_t tool_pid = sandbox_.wait_for("serving").pid;
  server.signal(SIGKILL);
  EXPECT_TRUE(server.wait().died_of(SIGKILL));
  EXPECT_TRUE(eventually([&] { return !is_alive(tool_pid); }));
  EXPECT_TRUE(eventually([&] { return services().empty(); }));
}

TEST_F(EarlyReleaseLifeTest, TheForecastIsTheTimeUntilTheRelease) {
  sandbox_.set_environment("ONELANE_RELEASE_ON_READY", "make=" + port_);
  for (int i = 0; i < 3; ++i) {
    Running server = sandbox_.start({"make", "listen", "4", port_, "sleep", "100000"});
    ASSERT_TRUE(becomes_service());
    ASSERT_TRUE(eventually([&] { return services().at(0)["running_ms"] > 1'000; }));
    server.signal(SIGINT);
    EXPECT_TRUE(server.wait().died_of(SIGINT));
  }
  Running server =
      sandbox_.start({"make", "listen", "4", Listener{}.port(), "hold-until", gate_.path()});
  ASSERT_TRUE(eventually([&] { return !status_of(sandbox_)["holder"].is_null(); }));
  const auto usual = status_of(sandbox_)["holder"]["usual_ms"];
  ASSERT_TRUE(usual.is_number()) << usual;
  EXPECT_LT(usual, 1'000);
  gate_.open();
  EXPECT_TRUE(server.wait().exited_with(0));
}

}  // namespace
}  // namespace onelane::test
