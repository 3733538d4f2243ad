#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "core/sys/process.hpp"
#include "tests/integration/lane_scene.hpp"

namespace onelane::test {
namespace {

using std::chrono::milliseconds;
using Words = std::vector<std::string>;

/// KILL_TIMEOUT is one second.
constexpr milliseconds kAllOver{4'000};

class CrashTest : public testing::Test {
 protected:
  CrashTest() {
    sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "1");
    sandbox_.set_environment("ONELANE_LINGER", "1");
  }

  /// A run with a tool and a second process, `worker`, which does `preparation` first.
  void start_run(const Words& preparation, const Words& tool_first = {}, Start options = {}) {
    Words argv{"make"};
    argv.insert(argv.end(), tool_first.begin(), tool_first.end());
    argv.push_back("spawn");
    argv.insert(argv.end(), preparation.begin(), preparation.end());
    for (const std::string& word :
         Words{"trace", "worker", "hold-until", gate_.path(), "trace", "worker-late", "end",
               "await-trace", "worker", "sleep", "100", "trace", "ready", "hold-until",
               gate_.path(), "exit", "7"}) {
      argv.push_back(word);
    }
    running_.emplace(sandbox_.start(argv, std::move(options)));
    tool_ = sandbox_.wait_for("ready").pid;
    worker_ = sandbox_.wait_for("worker").pid;
  }

  /// The supervisor's child in a session of its own.
  [[nodiscard]] pid_t guardian() const {
    for (const auto& stat : sys::descendants_of(running_->pid())) {
      if (stat.parent == running_->pid() && stat.session == stat.id.pid && stat.state != 'Z') {
        return stat.id.pid;
      }
    }
    return -1;
  }

  /// The supervisor's child that is neither tool nor guardian nor the adopted worker.
  [[nodiscard]] pid_t canary() const {
    for (const auto& stat : sys::descendants_of(running_->pid())) {
      const pid_t pid = stat.id.pid;
      if (stat.parent == running_->pid() && stat.state != 'Z' && pid != tool_ && pid != worker_ &&
          stat.session != pid) {
        return pid;
      }
    }
    return -1;
  }

  void kill_supervisor() {
    running_->signal(SIGKILL);
    EXPECT_TRUE(running_->wait().died_of(SIGKILL));
  }

  /// `status`, `orphans` and the journal name `pid` as kept by run `id`.
  void expect_written_down(const std::string& id, pid_t pid) {
    const auto names = [&](const nlohmann::json& rows) {
      return std::ranges::any_of(
          rows, [&](const auto& row) { return row["pid"] == pid && row["run"] == id; });
    };
    EXPECT_TRUE(names(status_of(sandbox_)["kept"])) << status_of(sandbox_);
    const Ended orphans = sandbox_.run({onelane_of(sandbox_), "orphans", "--json"});
    EXPECT_TRUE(names(nlohmann::json::parse(orphans.out)["kept"])) << orphans.out;
    const Ended view = sandbox_.run({onelane_of(sandbox_), "runs", "view", id});
    EXPECT_NE(view.out.find("(pid " + std::to_string(pid) + ")"), std::string::npos) << view.out;
  }

  void expect_all_gone() {
    EXPECT_TRUE(sandbox_.wait_until_empty(kAllOver).empty());
    EXPECT_TRUE(sandbox_.run({"make", "exit", "0"}).exited_with(0));
  }

  Sandbox sandbox_{Mode::Shim};
  Gate gate_{sandbox_};
  std::optional<Running> running_;
  pid_t tool_ = -1;
  pid_t worker_ = -1;
};

TEST_F(CrashTest, ToolAndWorkersEndWhenTheSupervisorIsKilled) {
  start_run({});
  kill_supervisor();
  expect_all_gone();
}

TEST_F(CrashTest, SoDoTheyWhereTheCallerHasNoStdio) {
  Start nothing;
  nothing.standard_output = Stream::Null;
  nothing.standard_error = Stream::Null;
  start_run({}, {}, std::move(nothing));
  kill_supervisor();
  expect_all_gone();
}

TEST_F(CrashTest, SoDoThoseThatIgnoreTerm) {
  start_run({"ignore", "TERM"}, {"ignore", "TERM"});
  kill_supervisor();
  expect_all_gone();
}

TEST_F(CrashTest, SoDoWorkersThatHaveLeftSessionAndParent) {
  start_run({"setsid", "fork-away"});
  kill_supervisor();
  expect_all_gone();
}

TEST_F(CrashTest, SoDoWorkersThatHaveShedTheirEnvironmentToo) {
  start_run({"setsid", "fork-away", "clear-environment"});
  kill_supervisor();
  expect_all_gone();
}

TEST_F(CrashTest, TheNextRunWaitsUntilTheyAreGone) {
  const std::string witness = sandbox_.fresh_path("witness");
  start_run({"ignore", "TERM", "lock", witness});
  kill_supervisor();
  EXPECT_TRUE(sandbox_.run({"pytest", "lock", witness}).exited_with(0));
  EXPECT_TRUE(sandbox_.texts("OVERLAP").empty());
}

TEST_F(CrashTest, ADaemonLivesOnWhenTheSupervisorIsKilled) {
  start_run({"fork-away", "setsid", "redirect", "0", "null", "redirect", "1", "null", "redirect",
             "2", "null"});
  kill_supervisor();
  EXPECT_TRUE(eventually([&] { return !is_alive(tool_); }, kAllOver));
  EXPECT_TRUE(sandbox_.wait_until_empty(kAllOver, {worker_}).empty());
  EXPECT_TRUE(is_alive(worker_));
  gate_.open();
  sandbox_.wait_for("worker-late");
}

TEST_F(CrashTest, AndIsInEveryViewOnceTheGuardianHasClearedAway) {
  start_run({"setsid", "fork-away", "clear-environment", "redirect", "0", "null", "redirect", "1",
             "null", "redirect", "2", "null"});
  const std::string id = status_of(sandbox_)["holder"]["id"];
  ASSERT_GT(guardian(), 0);
  kill_supervisor();
  EXPECT_TRUE(sandbox_.wait_until_empty(kAllOver, {worker_}).empty());
  EXPECT_TRUE(is_alive(worker_));
  expect_written_down(id, worker_);
  gate_.open();
  sandbox_.wait_for("worker-late");
}

TEST_F(CrashTest, SoIsWhatTheNextRunHasFoundWhereTheGuardianDiedToo) {
  start_run({"setsid", "fork-away", "redirect", "0", "null", "redirect", "1", "null", "redirect",
             "2", "null"});
  const std::string id = status_of(sandbox_)["holder"]["id"];
  const pid_t second = guardian();
  ASSERT_GT(second, 0);
  ::kill(running_->pid(), SIGSTOP);  // it must not replace the guardian in between
  ::kill(second, SIGKILL);
  kill_supervisor();
  EXPECT_TRUE(sandbox_.run({"make", "exit", "0"}).exited_with(0));
  EXPECT_TRUE(is_alive(worker_));
  expect_written_down(id, worker_);
  gate_.open();
  sandbox_.wait_for("worker-late");
}

TEST_F(CrashTest, AKilledGuardianIsReplaced) {
  start_run({});
  const pid_t first = guardian();
  ASSERT_GT(first, 0);
  ::kill(first, SIGKILL);
  ASSERT_TRUE(eventually([&] { return guardian() > 0 && guardian() != first; }));
  kill_supervisor();
  expect_all_gone();
}

TEST_F(CrashTest, AKilledCanaryIsReplaced) {
  start_run({}, {"catch", "TERM"});
  const pid_t first = canary();
  ASSERT_GT(first, 0);
  ::kill(first, SIGKILL);
  ASSERT_TRUE(eventually([&] { return canary() > 0 && canary() != first; }));
  running_->signal(SIGTERM);
  sandbox_.wait_for("sig TERM");
  EXPECT_FALSE(eventually([&] { return sandbox_.texts("sig TERM").size() > 1; }, milliseconds{80}));
  gate_.open();
  EXPECT_TRUE(running_->wait().exited_with(7));
}

TEST_F(CrashTest, TheNextRunSweepsWhenSupervisorAndGuardianAreKilled) {
  const std::string witness = sandbox_.fresh_path("witness");
  start_run({"lock", witness});
  const pid_t second = guardian();
  ASSERT_GT(second, 0);
  ::kill(running_->pid(), SIGSTOP);  // it must not replace the guardian in between
  ::kill(second, SIGKILL);
  kill_supervisor();
  EXPECT_TRUE(sandbox_.run({"pytest", "lock", witness}).exited_with(0));
  EXPECT_TRUE(sandbox_.texts("OVERLAP").empty());
  EXPECT_FALSE(is_alive(worker_));
}

TEST_F(CrashTest, TheNextRunSweepsWhenTheSupervisorIsKilledAtOnce) {
  // Before there is a guardian, or just as it starts: runs must not overlap in either case.
  const std::string witness = sandbox_.fresh_path("witness");
  for (std::size_t round = 1; round <= 20; ++round) {
    Running early =
        sandbox_.start({"make", "lock", witness, "trace", "ready", "hold-until", gate_.path()});
    sandbox_.wait_for("ready", round);
    ::usleep(static_cast<useconds_t>(round) * 500);
    early.signal(SIGKILL);
    EXPECT_TRUE(early.wait().died_of(SIGKILL));
    EXPECT_TRUE(sandbox_.run({"pytest", "lock", witness}).exited_with(0)) << "round " << round;
  }
  EXPECT_TRUE(sandbox_.texts("OVERLAP").empty());
}

}  // namespace
}  // namespace onelane::test
