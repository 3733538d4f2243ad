#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/sys/process.hpp"
#include "tests/integration/killed_run.hpp"
#include "tests/integration/lane_scene.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;

/// `onelane monitor` without a terminal.
class MonitorTest : public testing::Test {
 protected:
  [[nodiscard]] Words words(const Words& options) const {
    Words argv{onelane_of(sandbox_), "monitor"};
    argv.insert(argv.end(), options.begin(), options.end());
    return argv;
  }
  Ended monitor(const Words& options = {}) { return sandbox_.run(words(options)); }

  /// A stream into a file; returns once the file has the snapshot.
  Running start_stream() {
    events_path_ = sandbox_.fresh_path("events");
    Start options;
    options.standard_output = Stream::Inherited;
    options.before_exec = [path = events_path_] {
      ::dup2(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), 1);
    };
    Running stream = sandbox_.start(words({"--json"}), options);
    EXPECT_TRUE(comes("snapshot"));
    return stream;
  }
  [[nodiscard]] std::vector<json> events() const {
    std::vector<json> out;
    std::ifstream file{events_path_};
    for (std::string line; std::getline(file, line) && !file.eof();) {
      out.push_back(json::parse(line));
    }
    return out;
  }
  /// Events of a run, in order, as words.
  [[nodiscard]] Words told_of(const std::string& id) const {
    Words out;
    for (const json& event : events()) {
      if (event.value("id", "") == id) {
        out.push_back(event["event"]);
      }
    }
    return out;
  }
  [[nodiscard]] json event_of(const std::string& word) const {
    for (const json& event : events()) {
      if (event["event"] == word) {
        return event;
      }
    }
    return {};
  }
  [[nodiscard]] bool comes(const std::string& word) const {
    return eventually([&] { return !event_of(word).is_null(); });
  }
  void expect_clean_end(Running& stream) {
    stream.signal(SIGINT);
    EXPECT_TRUE(stream.wait().exited_with(0));
    for (const json& event : events()) {
      EXPECT_EQ(event["schema"], 1);
      EXPECT_TRUE(event["at_wall_ms"].is_number());
    }
  }

  Sandbox sandbox_{Mode::Shim};
  std::string events_path_;
};

TEST_F(MonitorTest, WithoutATerminalItPrintsOneSnapshot) {
  Holder holder{sandbox_};
  const std::string tool = std::to_string(sandbox_.wait_for("holder in").pid);
  const std::string supervisor = std::to_string(holder.pid());
  for (const Words& options : {Words{}, Words{"--once"}, Words{"--color=always"}}) {
    const Ended ended = monitor(options);
    EXPECT_TRUE(ended.exited_with(0)) << ended.err;
    EXPECT_THAT(ended.out, AllOf(HasSubstr("run     pytest trace"), HasSubstr("COMMAND"),
                                 HasSubstr("pid " + supervisor),
                                 HasSubstr("\n" + std::string(7 - tool.size(), ' ') + tool + " "),
                                 Not(HasSubstr("\033"))))
        << ended.out;
  }
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_THAT(monitor().out, AllOf(HasSubstr("run     none"), HasSubstr("ok")));
}

TEST_F(MonitorTest, ALaneThatWasNeverUsedIsFree) {
  const Ended ended = monitor();
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("run     none"));
  const json snapshot = json::parse(monitor({"--json", "--once"}).out);
  EXPECT_EQ(snapshot["event"], "snapshot");
  EXPECT_TRUE(snapshot["lanes"][0]["holder"].is_null());
}

TEST_F(MonitorTest, WrongWordsAndWrongPlacesAreSaid) {
  EXPECT_TRUE(monitor({"--interval", "never"}).exited_with(64));
  EXPECT_TRUE(monitor({"--color", "sometimes"}).exited_with(64));
  Start elsewhere;
  elsewhere.directory = sandbox_.root();
  EXPECT_TRUE(sandbox_.run(words({}), elsewhere).exited_with(1));
}

TEST_F(MonitorTest, ATornLaneAndALockedGateDoNotStopIt) {
  Holder holder{sandbox_};
  const std::string lane = sandbox_.project() + "/.git/onelane/lane";
  {
    std::fstream file{lane, std::ios::in | std::ios::out | std::ios::binary};
    file.seekp(1024 + 64 * 5);
    file << std::string(64, 'x');
  }
  EXPECT_THAT(monitor().out, HasSubstr("run     pytest"));
  std::filesystem::remove(lane);
  EXPECT_THAT(monitor().out, HasSubstr("run     none"));
  sandbox_.forgive_leftovers();
  (void)holder.release();
}

TEST_F(MonitorTest, TheStreamTellsARunFromTheQueueToItsEnd) {
  Running stream = start_stream();
  Holder holder{sandbox_};
  ASSERT_TRUE(comes("started"));
  Running second = sandbox_.start({"make", "exit", "3"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  const std::string id = status_of(sandbox_)["queue"][0]["id"];
  ASSERT_TRUE(eventually([&] { return told_of(id) == Words{"enqueued"}; }));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(second.wait().exited_with(3));
  const Words whole{"enqueued", "granted", "started", "finished"};
  const auto of_run = [&] {
    Words told = told_of(id);
    std::erase(told, "moved");  // whether it was seen at position 1 before it started is chance
    return told;
  };
  EXPECT_TRUE(eventually([&] { return of_run() == whole; })) << json(events());
  expect_clean_end(stream);
  for (const json& event : events()) {
    if (event.value("id", "") == id && event["event"] == "finished") {
      EXPECT_EQ(event["reason"], "exited");
      EXPECT_EQ(event["code"], 3);
    }
  }
}

TEST_F(MonitorTest, WhoIsCancelledHasLeft) {
  Holder holder{sandbox_};
  Running waiter = sandbox_.start({"make"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  const std::string id = status_of(sandbox_)["queue"][0]["id"];
  Running stream = start_stream();
  waiter.signal(SIGTERM);
  (void)waiter.wait();
  EXPECT_TRUE(eventually([&] { return told_of(id) == Words{"left"}; })) << json(events());
  expect_clean_end(stream);
  (void)holder.release();
}

TEST_F(MonitorTest, AKilledWaiterWritesNothingAndIsMissedAllTheSame) {
  Holder holder{sandbox_};
  Running waiter = sandbox_.start({"make"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  Running stream = start_stream();
  waiter.signal(SIGKILL);
  (void)waiter.wait();
  EXPECT_TRUE(comes("left")) << json(events());
  expect_clean_end(stream);
  (void)holder.release();
}

TEST_F(MonitorTest, ALimitKillsAndSaysWhich) {
  Running stream = start_stream();
  sandbox_.set_environment("ONELANE_MEMORY_LIMIT_MB", "150");
  sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "1");
  Gate gate{sandbox_};
  EXPECT_TRUE(sandbox_.run({"make", "alloc", "300", "hold-until", gate.path()}).exited_with(137));
  ASSERT_TRUE(comes("killed")) << json(events());
  const json killed = event_of("killed");
  EXPECT_EQ(killed["reason"], "memory");
  EXPECT_EQ(killed["code"], 137);
  EXPECT_EQ(killed["card"]["limit_name"], "MEMORY_LIMIT_MB");
  expect_clean_end(stream);
}

TEST_F(MonitorTest, AWarningIsToldWhileTheRunGoesOn) {
  Running stream = start_stream();
  sandbox_.set_environment("ONELANE_MEMORY_LIMIT_MB", "300");
  Gate gate{sandbox_};
  Running run = sandbox_.start({"make", "alloc", "200", "hold-until", gate.path()});
  ASSERT_TRUE(comes("warned")) << json(events());
  EXPECT_THAT(event_of("warned")["text"].get<std::string>(), HasSubstr("MEMORY_LIMIT_MB"));
  gate.open();
  EXPECT_TRUE(run.wait().exited_with(0));
  EXPECT_TRUE(comes("finished"));
  expect_clean_end(stream);
}

TEST_F(MonitorTest, WhatADeadRunLeftIsAnOrphan) {
  WorkerRun run{sandbox_, {"setsid"}};
  Running stream = start_stream();
  run.kill_both();
  ASSERT_TRUE(comes("orphan")) << json(events());
  EXPECT_EQ(event_of("orphan")["pid"], run.worker());
  EXPECT_THAT(told_of(run.id()), Contains("finished"));
  expect_clean_end(stream);
  sandbox_.forgive_leftovers();
}

TEST_F(MonitorTest, TheStreamEndsWithItsReaderAlsoWhenNothingHappens) {
  Start options;
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  options.standard_output = Stream::Inherited;
  options.before_exec = [&] { ::dup2(pipe[1], 1); };
  Running stream = sandbox_.start(words({"--json"}), options);
  ::close(pipe[1]);
  char byte = 0;
  ASSERT_EQ(::read(pipe[0], &byte, 1), 1);
  ::close(pipe[0]);
  EXPECT_TRUE(stream.wait().exited_with(0));
}

TEST_F(MonitorTest, AtRestTheStreamSleeps) {
  Holder holder{sandbox_};
  Running stream = start_stream();
  const auto ticks = [&] { return sys::read_stat(stream.pid())->cpu_ticks; };
  // Asleep in poll(2) without a time limit: nothing to do until an event wakes it.
  EXPECT_TRUE(eventually([&] { return sys::read_stat(stream.pid())->state == 'S'; }));
  const auto before = ticks();
  ::usleep(1'000'000);
  EXPECT_LE(ticks() - before, 1U);
  expect_clean_end(stream);
  (void)holder.release();
}

TEST_F(MonitorTest, HostileTextIsEscapedInEvents) {
  Running stream = start_stream();
  EXPECT_TRUE(sandbox_.run({"make", "trace", "\033[2J\xff\"<b>", "exit", "0"}).exited_with(0));
  ASSERT_TRUE(comes("finished"));
  EXPECT_THAT(contents_of(events_path_), Not(HasSubstr("\033")));
  expect_clean_end(stream);
}

}  // namespace
}  // namespace onelane::test
