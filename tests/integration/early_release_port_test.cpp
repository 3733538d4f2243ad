#include <sys/wait.h>

#include "tests/integration/early_release_scene.hpp"

namespace onelane::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ReleaseOnPortTest : public EarlyReleaseScene {
 protected:
  /// Tells the server to go on, from within the project.
  void let_it_listen() { EXPECT_TRUE(sandbox_.run({tool(), "trace", "go"}).exited_with(0)); }
};

TEST_F(ReleaseOnPortTest, TheNextTicketRunsWhileTheServerLives) {
  Running server =
      start_run(server_words(port_, {"trace", "up", "await-trace", "go", "listen", "4", port_}));
  sandbox_.wait_for("up");
  const std::string id = id_of("up");
  Running next = queue("next");
  EXPECT_EQ(status_of(sandbox_)["holder"]["until"], "port " + port_ + " listens");
  let_it_listen();
  EXPECT_TRUE(next.wait().exited_with(0));
  ASSERT_EQ(services().size(), 1U);
  const auto service = services()[0];
  EXPECT_EQ(service["id"], id);
  EXPECT_EQ(service["state"], "service");
  EXPECT_TRUE(service["until"].is_null());
  EXPECT_GT(service["released_ms"], 0);
  gate_.open();
  const Ended ended = server.wait();
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr(": ready (port " + port_ +
                                   " listens); gives the lane back and goes on as a service\n"));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("up", "go", "serving", "next", "served"));
  const auto records = journal();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1]["id"], id);
  EXPECT_EQ(records[1]["class"], "lane");
  EXPECT_GT(records[1]["released_ms"], 0);
  EXPECT_LE(records[1]["released_ms"], records[1]["duration_ms"]);
  EXPECT_FALSE(records[0].contains("released_ms"));
}

TEST_F(ReleaseOnPortTest, AnotherProgramsListenerIsNotTakenForIt) {
  Listener other;
  other.listen();
  Running server = start_run(server_words(
      other.port(), {"trace", "up", "await-trace", "go", "listen", "6", other.port()}));
  sandbox_.wait_for("up");
  Running next = queue("next");
  ASSERT_TRUE(holds_for(700));
  EXPECT_THAT(services(), IsEmpty());
  EXPECT_THAT(sandbox_.texts("next"), IsEmpty());
  let_it_listen();  // beside the other one, for IPv6 alone
  EXPECT_TRUE(next.wait().exited_with(0));
  EXPECT_EQ(services().size(), 1U);
  gate_.open();
  const Ended ended = server.wait();
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_THAT(ended.err, HasSubstr("is open, but by no process of this run"));
}

TEST_F(ReleaseOnPortTest, AGrandchildListensForIPv6Alone) {
  Running server = start_server(
      port_, {"spawn", "spawn", "listen", "6", port_, "trace", "deep", "hold-until", gate_.path(),
              "end", "hold-until", gate_.path(), "end", "await-trace", "deep"});
  ASSERT_TRUE(becomes_service());
  expect_free_lane();
  gate_.open();
  EXPECT_TRUE(server.wait().exited_with(0));
}

TEST_F(ReleaseOnPortTest, AMemberListensInANetworkOfItsOwn) {
  if (!sandbox_.run({"unshare", "-n", "ip", "link", "set", "lo", "up"}).exited_with(0)) {
    GTEST_SKIP() << "no network namespaces here";
  }
  Words words{"--release-on-ready=" + port_,
              "--",
              "unshare",
              "-n",
              "sh",
              "-c",
              "ip link set lo up && exec \"$0\" \"$@\"",
              tool(),
              "listen",
              "4",
              port_,
              "trace",
              "serving",
              "hold-until",
              gate_.path()};
  Running server = start_run(words);
  sandbox_.wait_for("serving");
  ASSERT_TRUE(becomes_service());
  expect_free_lane();
  gate_.open();
  EXPECT_TRUE(server.wait().exited_with(0));
}

TEST_F(ReleaseOnPortTest, AServerThatRealMakeHasStarted) {
  sandbox_.use_real("make");
  std::ofstream{path("Makefile")} << "serve:\n\t@exec python3 -m http.server --bind 127.0.0.1 "
                                  << port_ << "\nnext:\n\t@true\n";
  sandbox_.set_environment("ONELANE_RELEASE_ON_READY", "npm=1,make:serve=" + port_);
  Running server = sandbox_.start({"make", "-s", "serve"});
  ASSERT_TRUE(becomes_service());
  const auto service = services()[0];
  EXPECT_EQ(service["command"], "make -s serve");
  const Ended next = sandbox_.run({"make", "next"});
  EXPECT_TRUE(next.exited_with(0)) << next.err;
  EXPECT_EQ(services().size(), 1U);
  server.signal(SIGTERM);
  const Ended ended = server.wait();
  EXPECT_THAT(ended.err, HasSubstr("make -s serve: ready (port " + port_ + " listens)"));
  EXPECT_THAT(services(), IsEmpty());
}

TEST_F(ReleaseOnPortTest, ASettingOfTheProjectNamesTheCall) {
  std::ofstream{path("onelane.toml")} << "release_on_ready = [\"make:listen=" << port_ << "\"]\n";
  Running server = sandbox_.start(
      {"make", "listen", "4", port_, "trace", "serving", "hold-until", gate_.path()});
  sandbox_.wait_for("serving");
  ASSERT_TRUE(becomes_service());
  const Ended explained = onelane({"explain", "--", "make", "listen"});
  EXPECT_THAT(explained.out, HasSubstr("release:  once port " + port_ +
                                       " listens, then a service (release_on_ready, "));
  gate_.open();
  EXPECT_TRUE(server.wait().exited_with(0));
}

TEST_F(ReleaseOnPortTest, TheOptionOutranksTheSetting) {
  Listener other;
  sandbox_.set_environment("ONELANE_RELEASE_ON_READY", "npm=" + other.port());
  Running server = start_server(port_, {"listen", "4", port_});
  ASSERT_TRUE(becomes_service());
  gate_.open();
  EXPECT_TRUE(server.wait().exited_with(0));
}

TEST_F(ReleaseOnPortTest, ARunThatNeverListensIsAnOrdinaryOne) {
  Running server = start_server(port_, {});
  Running next = queue("next");
  gate_.open();
  const Ended ended = server.wait();
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_EQ(ended.err, "");
  EXPECT_TRUE(next.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("serving", "served", "next"));
  EXPECT_FALSE(journal()[0].contains("released_ms"));
}

TEST_F(ReleaseOnPortTest, TheExitStatusIsTheServersAndQuietIsQuiet) {
  sandbox_.set_environment("ONELANE_QUIET", "1");
  Running server = start_run({"--release-on-ready", port_, "--", tool(), "listen", "4", port_,
                              "trace", "serving", "hold-until", gate_.path(), "exit", "3"});
  ASSERT_TRUE(becomes_service());
  gate_.open();
  const Ended ended = server.wait();
  EXPECT_TRUE(ended.exited_with(3));
  EXPECT_EQ(ended.err, "");
}

TEST_F(ReleaseOnPortTest, NoLimitOfTimeHoldsAfterTheRelease) {
  Running server = start_run({"--release-on-ready", port_, "--timeout", "1", "--", tool(), "listen",
                              "4", port_, "hold-until", gate_.path(), "exit", "0"});
  ASSERT_TRUE(becomes_service());
  ASSERT_TRUE(eventually([&] { return services().at(0)["running_ms"] > 1'500; }));
  gate_.open();
  EXPECT_TRUE(server.wait().exited_with(0));
}

TEST_F(ReleaseOnPortTest, TimeoutBoundsTheTimeUntilThen) {
  const Ended ended = run({"--release-on-ready", port_, "--timeout", "1", "--", "sleep", "300"});
  EXPECT_TRUE(ended.exited_with(124)) << describe_status(ended.wait_status) << ended.err;
}

TEST_F(ReleaseOnPortTest, WhatDoesNotFitIsRefused) {
  const std::vector<Words> wrong{{"--release-on-ready=0"},
                                 {"--release-on-ready=65536"},
                                 {"--release-on-ready=80", "--retry", "1"},
                                 {"--release-on-ready=80", "--atoms"},
                                 {"--release-on-ready=80", "--limits-only"}};
  for (Words words : wrong) {
    words.insert(words.end(), {"--", tool(), "trace", "ran"});
    const Ended ended = run(words);
    EXPECT_TRUE(ended.exited_with(64)) << words[0] << describe_status(ended.wait_status);
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
  }
  EXPECT_THAT(sandbox_.texts(), IsEmpty());
  EXPECT_TRUE(onelane({"queue", "add", "--release-on-ready", "80", "--", "true"}).exited_with(64));
}

TEST_F(ReleaseOnPortTest, ABadSettingIsSaidInOneLine) {
  sandbox_.set_environment("ONELANE_RELEASE_ON_READY", "make:serve");
  const Ended ended = run({"--", tool(), "trace", "ran"});
  EXPECT_TRUE(ended.exited_with(78));
  EXPECT_THAT(ended.err, HasSubstr("'make:serve' is not a call and when it is ready; accepted: "
                                   "TOOL[:FIRST-ARGUMENT]=PORT"));
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
}

}  // namespace
}  // namespace onelane::test
