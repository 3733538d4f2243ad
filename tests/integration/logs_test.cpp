#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/journal/journal.hpp"
#include "core/journal/run_log.hpp"
#include "core/sys/file_descriptor.hpp"
#include "tests/integration/killed_run.hpp"
#include "tests/integration/lane_scene.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;

constexpr const char* kEnded = "eeeeeeeeeee";

/// `onelane logs` and `onelane runs watch`.
class LogsTest : public testing::Test {
 protected:
  [[nodiscard]] std::string state() const { return sandbox_.project() + "/.git/onelane"; }
  [[nodiscard]] Words words(Words words) const {
    words.insert(words.begin(), onelane_of(sandbox_));
    return words;
  }
  Ended onelane(const Words& call) { return sandbox_.run(words(call)); }

  /// Starts a verb with its output in a file.
  Running start_into(const Words& call, const std::string& out) {
    Words argv{"sh", "-c", "out=$1; shift; exec \"$@\" >\"$out\"", "sh", out};
    const Words command = words(call);
    argv.insert(argv.end(), command.begin(), command.end());
    return sandbox_.start(argv);
  }

  /// Starts a verb that follows, with its output in a file, and waits until the output begins.
  Running follow(const Words& call, const std::string& out, const std::string& first) {
    Running running = start_into(call, out);
    EXPECT_TRUE(comes_to_contain(out, first)) << contents_of(out);
    return running;
  }

  void add_ended(const std::string& id, std::int64_t code) {
    const auto fd = sys::open_file(state(), O_RDONLY | O_DIRECTORY);
    journal::Record record;
    record.id = id;
    record.argv = {"make", "test"};
    record.code = code;
    ASSERT_TRUE(journal::append(fd.get(), record, {}));
  }
  void log(const std::string& id, const std::string& text) const {
    journal::RunLog{state() + "/logs", id}.write(journal::Level::Warning, text);
  }

  Sandbox sandbox_{Mode::Shim};
};

TEST_F(LogsTest, ARunWithoutALogSaysSo) {
  add_ended(kEnded, 1);
  for (const Words& call : {Words{"logs", kEnded}, Words{"logs", kEnded, "-f"}, Words{"logs"},
                            Words{"runs", "view", kEnded, "--log"}}) {
    const Ended ended = onelane(call);
    EXPECT_TRUE(ended.exited_with(0)) << ended.err;
    EXPECT_EQ(ended.out, "no events were logged\n");
  }
  EXPECT_THAT(onelane({"runs", "view", kEnded}).out, HasSubstr("log:         no events"));
  EXPECT_TRUE(onelane({"logs", "nosuchrunid"}).exited_with(1));
}

TEST_F(LogsTest, ShowsTheLogOfOneRun) {
  add_ended(kEnded, 0);
  log(kEnded, "first");
  log(kEnded, "second \033[2J");
  const Ended ended = onelane({"logs", kEnded});
  EXPECT_THAT(ended.out, testing::AllOf(HasSubstr("Z WARN first\n"), HasSubstr("second ?[2J\n")));
  EXPECT_THAT(onelane({"logs", "eee", "--tail", "1"}).out, Not(HasSubstr("first")));
  EXPECT_THAT(onelane({"logs", kEnded, "--since", "1h"}).out, HasSubstr("first"));
  EXPECT_EQ(onelane({"logs", kEnded, "--since", "2100-01-01"}).out, "no events were logged\n");
  EXPECT_TRUE(onelane({"logs", kEnded, "--since", "soon"}).exited_with(64));
  EXPECT_THAT(onelane({"runs", "view", kEnded, "--log"}).out, HasSubstr("first"));
  EXPECT_THAT(onelane({"runs", "view", kEnded, "--log-failed"}).out, HasSubstr("has not failed"));
  EXPECT_THAT(onelane({"runs", "view", kEnded}).out, HasSubstr("/logs/eeeeeeeeeee.log\n"));
  const json line = json::parse(onelane({"logs", kEnded, "-n", "1", "--json"}).out);
  EXPECT_EQ(line["schema"], 1);
  EXPECT_EQ(line["id"], kEnded);
}

TEST_F(LogsTest, WithoutAnIdTheNewestAreMergedByTime) {
  const std::string logs = state() + "/logs/";
  log("aaaaaaaaaaa", "made");  // the directory, too
  std::ofstream{logs + "aaaaaaaaaaa.log"} << "2026-11-21T12:00:01.000Z WARN one\n"
                                          << "2026-11-21T12:00:03.000Z WARN three\n";
  std::ofstream{logs + "bbbbbbbbbbb.log"} << "2026-11-21T12:00:02.000Z WARN two\ntorn";
  std::ofstream{logs + "stranger.log"} << "2026-11-21T12:00:02.000Z WARN not mine\n";
  EXPECT_EQ(onelane({"logs"}).out,
            "aaaaaaaaaaa  2026-11-21T12:00:01.000Z WARN one\n"
            "bbbbbbbbbbb  2026-11-21T12:00:02.000Z WARN two\n"
            "bbbbbbbbbbb  torn\n"
            "aaaaaaaaaaa  2026-11-21T12:00:03.000Z WARN three\n");
}

TEST_F(LogsTest, AmongThousandsOfLogsTheNewestAreThoseOfLiveRunsAndTheNewestRecords) {
  namespace fs = std::filesystem;
  constexpr std::string_view kLetters = "abcdefghijkmnopqrstuvwxyz2345678";
  const auto now = fs::file_time_type::clock::now();
  const auto id_of = [&](int number) {
    std::string id = "aaaaaaaaaaa";
    for (std::size_t at = 8; at < id.size(); ++at, number /= 32) {
      id[at] = kLetters.at(static_cast<std::size_t>(number % 32));
    }
    return id;
  };
  log(id_of(2'500), "made");  // the directory, too
  const auto fd = sys::open_file(state(), O_RDONLY | O_DIRECTORY);
  for (int minutes = 2'500; minutes > 0; --minutes) {
    const std::string path = state() + "/logs/" + id_of(minutes) + ".log";
    std::ofstream{path} << "2026-11-21T12:00:00.000Z WARN\n";
    fs::last_write_time(path, now - std::chrono::minutes{minutes});
    journal::Record record;
    record.id = id_of(minutes);
    record.ended_wall_ms = 1'795'262'400'000 - std::int64_t{minutes} * 60'000;
    ASSERT_TRUE(journal::append(fd.get(), record, {}));
  }
  Holder holder{sandbox_};
  const std::string live = status_of(sandbox_)["holder"]["id"];
  log(live, "live");
  const Ended ended = onelane({"logs"});
  EXPECT_EQ(std::ranges::count(ended.out, '\n'), 10);
  EXPECT_THAT(ended.out, HasSubstr(live));
  for (int minutes = 1; minutes < 10; ++minutes) {
    EXPECT_THAT(ended.out, HasSubstr(id_of(minutes))) << minutes;
  }
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(LogsTest, FollowsALogThatIsNotThereYetUntilTheRunHasEnded) {
  Holder holder{sandbox_};
  const std::string id = status_of(sandbox_)["holder"]["id"];
  const std::string out = sandbox_.root() + "/followed";
  ASSERT_FALSE(std::filesystem::exists(state() + "/logs"));
  Running following = start_into({"logs", id, "-f"}, out);
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(out); }));
  log(id, "an event");
  EXPECT_TRUE(comes_to_contain(out, "WARN an event\n"));
  log(id, "another");
  EXPECT_TRUE(comes_to_contain(out, "WARN another\n"));
  EXPECT_TRUE(following.is_running());
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(following.wait().exited_with(0));
}

TEST_F(LogsTest, FollowingAllGoesOnUntilInterrupted) {
  const std::string out = sandbox_.root() + "/all";
  log("aaaaaaaaaaa", "old");
  Running all = follow({"logs", "-f"}, out, "old");
  log("bbbbbbbbbbb", "new");
  EXPECT_TRUE(comes_to_contain(out, "new"));
  log("aaaaaaaaaaa", "more");
  EXPECT_TRUE(comes_to_contain(out, "more"));
  all.signal(SIGINT);
  EXPECT_TRUE(all.wait().died_of(SIGINT));
}

TEST_F(LogsTest, FollowingAllKeepsOnlyTheNewestOpen) {
  const std::string out = sandbox_.root() + "/all";
  const std::string kFirst = "aaaaaaaaaaa";
  log(kFirst, "oldest");
  Running all = follow({"logs", "-f"}, out, "oldest");
  for (const char c : std::string{"bcdefghijkmnopq"}) {
    const std::string id(11, c);
    log(id, "event of " + id);
    ASSERT_TRUE(comes_to_contain(out, "event of " + id));
  }
  const std::string fds = "/proc/" + std::to_string(all.pid()) + "/fd";
  EXPECT_TRUE(eventually([&] {
    std::size_t open = 0;
    for (const auto& entry : std::filesystem::directory_iterator{fds}) {
      std::error_code none;  // it may be closed meanwhile
      open += std::filesystem::read_symlink(entry, none).extension() == ".log" ? 1U : 0U;
    }
    return open <= 10;
  }));
  log(kFirst, "again");
  EXPECT_TRUE(comes_to_contain(out, "WARN again"));
  const std::string text = contents_of(out);
  EXPECT_EQ(text.find("oldest"), text.rfind("oldest")) << "said twice";
  all.signal(SIGINT);
  EXPECT_TRUE(all.wait().died_of(SIGINT));
}

TEST_F(LogsTest, WatchFollowsFromTheQueueToTheEnd) {
  Holder holder{sandbox_};
  Gate gate{sandbox_, "second"};
  Running second =
      sandbox_.start({"make", "trace", "second in", "hold-until", gate.path(), "exit", "3"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  const std::string id = status_of(sandbox_)["queue"][0]["id"];
  const std::string out = sandbox_.root() + "/watched";
  Running watching = follow({"runs", "watch", id, "--exit-status"}, out, "queued");
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(comes_to_contain(out, "started after "));
  log(id, "half of its memory");
  EXPECT_TRUE(comes_to_contain(out, "WARN half of its memory"));
  gate.open();
  EXPECT_TRUE(second.wait().exited_with(3));
  EXPECT_TRUE(watching.wait().exited_with(3));
  EXPECT_THAT(contents_of(out), HasSubstr("`: exit 3, after "));
}

TEST_F(LogsTest, ARunDoesNotWaitForItself) {
  const std::string self =
      "id=$(\"$1\" runs --status running --json | grep -o '\"id\":\"[^\"]*' | cut -d'\"' -f4); "
      "\"$1\" runs watch \"$id\" || exit 9";
  const Ended ended = onelane({"run", "--", "sh", "-c", self, "sh", onelane_of(sandbox_)});
  EXPECT_TRUE(ended.exited_with(9)) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("it would wait for itself"));
}

TEST_F(LogsTest, WatchTellsAnEndedRunAtOnce) {
  add_ended(kEnded, 2);
  EXPECT_TRUE(onelane({"runs", "watch", kEnded}).exited_with(0));
  const Ended ended = onelane({"runs", "watch", kEnded, "--exit-status", "--json"});
  EXPECT_TRUE(ended.exited_with(2));
  EXPECT_EQ(json::parse(ended.out)["event"], "ended");
}

TEST_F(LogsTest, WatchSeesAKilledRun) {
  sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "1");
  WorkerRun run{sandbox_, {}};
  const std::string out = sandbox_.root() + "/watched";
  Running watching = follow({"runs", "watch", run.id(), "--exit-status"}, out, "running");
  run.kill_supervisor();
  EXPECT_TRUE(watching.wait(3 * kDeadline).exited_with(1));
  EXPECT_THAT(contents_of(out), HasSubstr("crashed"));
}

TEST_F(LogsTest, WatchSeesARunThatWasNotClearedAwayAfter) {
  WorkerRun run{sandbox_, {}};
  const std::string out = sandbox_.root() + "/watched";
  Running watching = follow({"runs", "watch", run.id(), "--exit-status"}, out, "running");
  run.kill_both();
  EXPECT_TRUE(watching.wait(3 * kDeadline).exited_with(1));
  EXPECT_THAT(contents_of(out), HasSubstr("ended without a record"));
  run.open_gate();
  sandbox_.wait_for("late");
}

TEST_F(LogsTest, WatchSeesOneLeaveTheQueue) {
  Holder holder{sandbox_};
  Running second = sandbox_.start({"make", "trace", "never"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  const std::string id = status_of(sandbox_)["queue"][0]["id"];
  const std::string out = sandbox_.root() + "/watched";
  Running watching = follow({"runs", "watch", id, "--exit-status"}, out, "queued");
  second.signal(SIGTERM);
  (void)second.wait();
  EXPECT_TRUE(watching.wait().exited_with(75));
  EXPECT_THAT(contents_of(out), HasSubstr("left the queue"));
  EXPECT_TRUE(holder.release().exited_with(0));
}

}  // namespace
}  // namespace onelane::test
