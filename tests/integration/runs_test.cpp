#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/journal/journal.hpp"
#include "core/sys/file_descriptor.hpp"
#include "tests/integration/killed_run.hpp"
#include "tests/integration/lane_scene.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;

constexpr std::int64_t kThen = 1'795'000'000'000;

class RunsTest : public testing::Test {
 protected:
  [[nodiscard]] std::string state() const { return sandbox_.project() + "/.git/onelane"; }

  Ended runs(const Words& words) {
    Words argv{onelane_of(sandbox_), "runs"};
    argv.insert(argv.end(), words.begin(), words.end());
    return sandbox_.run(argv);
  }
  json list(Words words = {}) {
    words.insert(words.begin(), "list");
    words.emplace_back("--json");
    const Ended ended = runs(words);
    EXPECT_TRUE(ended.exited_with(0)) << ended.err;
    return json::parse(ended.out);
  }
  std::vector<std::string> ids(const Words& words = {}) {
    std::vector<std::string> out;
    const json said = list(words);
    for (const json& run : said["runs"]) {
      out.push_back(run["id"]);
    }
    return out;
  }

  void add(const journal::Record& record, const journal::Rotation& rotation = {}) {
    const auto fd = sys::open_file(state(), O_RDONLY | O_DIRECTORY);
    ASSERT_TRUE(journal::append(fd.get(), record, rotation));
  }
  static journal::Record record(const std::string& id, Words argv = {"make", "test"}) {
    journal::Record record;
    record.id = id;
    record.tool = argv.front();
    record.argv = std::move(argv);
    record.started_wall_ms = kThen;
    record.ended_wall_ms = kThen + 3'000;
    record.duration_ms = 3'000;
    record.code = 0;
    return record;
  }

  Sandbox sandbox_{Mode::Shim};
};

TEST_F(RunsTest, WithoutAJournalThereAreNone) {
  EXPECT_EQ(runs({}).out, "no runs\n");
  EXPECT_EQ(list()["runs"], json::array());
  EXPECT_TRUE(runs({"view", "abcdefghijk"}).exited_with(1));
  EXPECT_TRUE(runs({"watch", "abcdefghijk"}).exited_with(1));
}

TEST_F(RunsTest, ListsTheNewestFirstWithHowTheyEnded) {
  EXPECT_TRUE(sandbox_.run({"make", "exit", "0"}).exited_with(0));
  EXPECT_TRUE(sandbox_.run({"pytest", "exit", "2"}).exited_with(2));
  const Ended ended = runs({});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(ended.out, testing::ContainsRegex("STATE +ID +COMMAND"));
  const auto pytest = ended.out.find("pytest exit 2");
  ASSERT_NE(pytest, std::string::npos) << ended.out;
  EXPECT_LT(pytest, ended.out.find("make exit 0"));
  EXPECT_THAT(ended.out, Not(HasSubstr("\033")));

  const json said = list();
  EXPECT_EQ(said["schema"], 1);
  ASSERT_EQ(said["runs"].size(), 2U);
  EXPECT_EQ(said["runs"][0]["state"], "failed");
  EXPECT_EQ(said["runs"][0]["code"], 2);
  EXPECT_EQ(said["runs"][0]["argv"], (json{"pytest", "exit", "2"}));
  EXPECT_EQ(said["runs"][1]["state"], "ok");
  EXPECT_EQ(ids({"--status", "ok"}).size(), 1U);
  EXPECT_EQ(ids({"--status", "failed,ok"}).size(), 2U);
  EXPECT_EQ(ids({"--tool", "make", "--since", "1h"}).size(), 1U);
  EXPECT_EQ(ids({"--command", "t exit"}).size(), 1U);
  EXPECT_EQ(ids({"-L", "1"}).size(), 1U);
  EXPECT_TRUE(ids({"--user", "nobody-here"}).empty());
}

TEST_F(RunsTest, WrongWordsAreUsage) {
  EXPECT_TRUE(runs({"lisst"}).exited_with(64));
  EXPECT_TRUE(runs({"list", "--status", "fine"}).exited_with(64));
  EXPECT_TRUE(runs({"list", "--since", "\033[2J"}).exited_with(64));
  EXPECT_THAT(runs({"list", "--since", "\033[2J"}).err, Not(HasSubstr("\033")));
  EXPECT_TRUE(runs({"view"}).exited_with(64));
  const Ended help = runs({"--help"});
  EXPECT_TRUE(help.exited_with(0));
  EXPECT_THAT(help.out, testing::AllOf(HasSubstr("list"), HasSubstr("view"), HasSubstr("watch")));
}

TEST_F(RunsTest, LiveOnesComeFirstFromTheLane) {
  EXPECT_TRUE(sandbox_.run({"make", "exit", "0"}).exited_with(0));
  Holder holder{sandbox_};
  Running next = sandbox_.start({"make", "trace", "next"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  const json said = list()["runs"];
  ASSERT_EQ(said.size(), 3U);
  EXPECT_EQ(said[0]["state"], "running");
  EXPECT_EQ(said[0]["id"], status_of(sandbox_)["holder"]["id"]);
  EXPECT_GT(said[0]["memory_kb"], 0);
  EXPECT_EQ(said[1]["state"], "queued");
  EXPECT_EQ(said[2]["state"], "ok");
  EXPECT_EQ(ids({"--status", "running"}), Words{said[0]["id"]});
  EXPECT_EQ(ids({"--status", "queued"}), Words{said[1]["id"]});
  const Ended view = runs({"view", said[0]["id"].get<std::string>().substr(0, 10)});
  EXPECT_TRUE(view.exited_with(0)) << view.err;
  EXPECT_THAT(view.out, testing::AllOf(HasSubstr("state:       running (pid "),
                                       HasSubstr("command:     pytest trace holder in")));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(next.wait().exited_with(0));
}

TEST_F(RunsTest, APrefixMustNameOneRun) {
  add(record("aaabbbbbbbb"));
  add(record("aaacccccccc"));
  add(record("aaacccccccc"));  // two records of one id are one run
  EXPECT_TRUE(runs({"view", "aaab"}).exited_with(0));
  EXPECT_TRUE(runs({"view", "aaac"}).exited_with(0));
  const Ended ended = runs({"view", "aaa"});
  EXPECT_TRUE(ended.exited_with(1));
  EXPECT_THAT(ended.err, HasSubstr("several runs begin with aaa: aaacccccccc, aaabbbbbbbb"));
  for (const std::string id : {"b", "\033[2J", "../../etc", "aaabbbbbbbbb"}) {
    const Ended none = runs({"view", id});
    EXPECT_TRUE(none.exited_with(1)) << id;
    EXPECT_THAT(none.err, testing::AllOf(HasSubstr("no run "), Not(HasSubstr("\033"))));
  }
}

TEST_F(RunsTest, ViewSaysEndingsInWords) {
  journal::Record signalled = record("sssssssssss");
  signalled.code.reset();
  signalled.signal = SIGSEGV;
  signalled.reason = journal::Reason::Signalled;
  add(signalled);
  journal::Record killed = record("kkkkkkkkkkk");
  killed.code = 137;
  killed.reason = journal::Reason::Memory;
  killed.kept = {{11, 12, "redis-server"}};
  killed.survivors = {{13, 14, "stuck"}};
  killed.ended_leftovers = 2;
  killed.card =
      R"({"cause":"memory","used":2411724800,"limit":2147483648,"limit_name":"MEMORY_LIMIT_MB",)"
      R"("limit_place":"built-in","change":"ONELANE_MEMORY_LIMIT_MB=3500","after_ms":12400,)"
      R"("pid":7,"processes":1,"bytes":2411724800,"curve":[1,2],"curve_step_ms":50,)"
      R"("tree":[{"pid":7,"parent":1,"bytes":2411724800,"command":"node \u001b[2Jheap.js"}]})";
  add(killed);
  EXPECT_THAT(runs({"view", "sssssssssss"}).out, HasSubstr("state:       died of SIGSEGV\n"));
  EXPECT_THAT(runs({"list"}).out, HasSubstr("SIGSEGV"));
  const Ended view = runs({"view", "kkkkkkkkkkk"});
  EXPECT_THAT(
      view.out,
      testing::AllOf(HasSubstr("state:       ended by onelane: memory, exit 137\n"),
                     HasSubstr("kept:        redis-server (pid 11)\n"),
                     HasSubstr("survivors:   stuck (pid 13)\n"), HasSubstr("leftovers:   2 ended"),
                     HasSubstr("used 2300 MB of 2048 MB (MEMORY_LIMIT_MB), after 12 s"),
                     HasSubstr("ONELANE_MEMORY_LIMIT_MB=3500 in .env.development"),
                     HasSubstr("7  2300 MB  node ?[2Jheap.js")));
  EXPECT_THAT(view.out, Not(HasSubstr("\033")));
  const json said = json::parse(runs({"view", "kkkkkkkkkkk", "--json"}).out);
  EXPECT_EQ(said["state"], "killed");
  EXPECT_EQ(said["card"]["cause"], "memory");
  EXPECT_TRUE(said["log"].is_null());
}

TEST_F(RunsTest, HostileTextNeverReachesATerminal) {
  const std::string evil =
      "\033]0;title\007\xc2\x9b"
      "2J\xff\r\n\t\x7f";
  journal::Record hostile = record("hhhhhhhhhhh", {"make", evil, std::string(65'536, 'x') + evil});
  hostile.branch = hostile.cwd = hostile.user = hostile.agent = hostile.tty = evil;
  hostile.label = hostile.cls = hostile.project = hostile.card = evil;
  hostile.kept = {{1, 2, evil}};
  add(hostile);
  for (const Words& words : {Words{}, Words{"view", "hhhhhhhhhhh"}, Words{"list", "--json"},
                             Words{"view", "hhhhhhhhhhh", "--json"}}) {
    const Ended ended = runs(words);
    EXPECT_TRUE(ended.exited_with(0)) << ended.err;
    for (const std::string raw : {"\033", "\007", "\xc2\x9b", "\xff", "\r", "\t", "\x7f"}) {
      EXPECT_EQ(ended.out.find(raw), std::string::npos) << ended.out.substr(0, 300);
    }
    EXPECT_LT(ended.out.size(), 100'000U);
  }
  EXPECT_EQ(list()["runs"].size(), 1U);
}

TEST_F(RunsTest, WithoutATerminalACommandIsCutAndMemoryIsTheSameEverywhere) {
  journal::Record run = record("aaaaaaaaaaa", {"make", std::string(8'000, 'x')});
  run.peak_tree_kb = 8'400;
  add(run);
  const Ended listed = runs({});
  EXPECT_LT(listed.out.size(), 500U);
  EXPECT_THAT(listed.out, testing::AllOf(HasSubstr("xxx…"), HasSubstr("8.2 MB")));
  EXPECT_EQ(list()["runs"][0]["argv"][1].get<std::string>().size(), 8'000U);
  const std::string view = runs({"view", "aaa"}).out;
  EXPECT_THAT(view, testing::AllOf(HasSubstr(std::string(8'000, 'x')), HasSubstr("most 8.2 MB,")));
  EXPECT_THAT(sandbox_.run({onelane_of(sandbox_), "stats"}).out, HasSubstr("8.2 MB"));
}

TEST_F(RunsTest, ATornLineAndARotationLoseNothingElse) {
  journal::Rotation rotation;
  rotation.max_bytes = 1;
  add(record("aaaaaaaaaaa"), rotation);
  add(record("bbbbbbbbbbb"), rotation);
  add(record("ccccccccccc"));
  ASSERT_TRUE(fs::exists(state() + "/runs.jsonl.2"));
  std::ofstream{state() + "/runs.jsonl", std::ios::app} << R"({"schema":1,"id":"torn)";
  EXPECT_EQ(ids(), (Words{"ccccccccccc", "bbbbbbbbbbb", "aaaaaaaaaaa"}));
  EXPECT_TRUE(runs({"view", "aaaa"}).exited_with(0));
}

TEST_F(RunsTest, WhatStandsBehindTheCutOfALongCommandIsFound) {
  add(record("aaaaaaaaaaa", {"make", std::string(400, 'x'), "needle"}));
  add(record("bbbbbbbbbbb", {"make", "hay"}));
  EXPECT_EQ(ids({"--command", "needle"}), Words{"aaaaaaaaaaa"});
  EXPECT_THAT(runs({"list", "--command", "needle"}).out,
              testing::AllOf(HasSubstr("aaaaaaaaaaa"), Not(HasSubstr("bbbbbbbbbbb"))));
  EXPECT_THAT(list()["runs"][1]["command"].get<std::string>(), HasSubstr("needle"));
}

TEST_F(RunsTest, NothingIsWrittenAndNoLaneIsNeeded) {
  add(record("aaaaaaaaaaa"));
  fs::remove(state() + "/lane");
  fs::permissions(state(), fs::perms::owner_read | fs::perms::owner_exec);
  const auto entries = [&] {
    return std::distance(fs::directory_iterator{state()}, fs::directory_iterator{});
  };
  const auto before = entries();
  EXPECT_EQ(ids(), Words{"aaaaaaaaaaa"});
  EXPECT_TRUE(runs({"view", "aaaaaaaaaaa", "--log"}).exited_with(0));
  EXPECT_TRUE(runs({"watch", "aaaaaaaaaaa"}).exited_with(0));
  EXPECT_EQ(entries(), before);
  fs::permissions(state(), fs::perms::owner_all);
}

TEST_F(RunsTest, ATornLaneIsAsGoodAsNone) {
  add(record("aaaaaaaaaaa"));
  std::ofstream{state() + "/lane"} << "torn";
  EXPECT_EQ(ids(), Words{"aaaaaaaaaaa"});
}

TEST_F(RunsTest, AStoppedHolderDoesNotDelayTheList) {
  Holder holder{sandbox_};
  ::kill(holder.pid(), SIGSTOP);
  EXPECT_EQ(list()["runs"].size(), 1U);
  ::kill(holder.pid(), SIGCONT);
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(RunsTest, ARunWhoseGuardianDiedTooIsWrittenDownOnce) {
  sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "1");
  WorkerRun run{sandbox_, {}};
  run.kill_both();
  EXPECT_TRUE(ids().empty());
  EXPECT_TRUE(sandbox_.run({"pytest", "exit", "0"}).exited_with(0));
  EXPECT_TRUE(sandbox_.run({"pytest", "exit", "0"}).exited_with(0));
  const json crashed = list({"--status", "crashed"})["runs"];
  ASSERT_EQ(crashed.size(), 1U) << crashed;
  EXPECT_EQ(crashed[0]["id"], run.id());
  EXPECT_EQ(crashed[0]["empty"], true);
  EXPECT_GT(crashed[0]["started_wall_ms"], 0);
  EXPECT_FALSE(crashed[0].contains("duration_ms")) << "its end was not recorded";
  EXPECT_FALSE(crashed[0].contains("ended_wall_ms"));
  EXPECT_THAT(runs({"list", "--status", "crashed"}).out, testing::ContainsRegex(" \\?( |\n)"));
  EXPECT_THAT(runs({"view", run.id()}).out, HasSubstr("ended:       ? (not recorded)\n"));
  EXPECT_THAT(runs({"watch", run.id()}).out, HasSubstr(", after ?\n"));
  EXPECT_EQ(crashed[0]["state"], "killed");
  EXPECT_GE(crashed[0]["ended_leftovers"], 1);
  EXPECT_EQ(list()["runs"].size(), 3U);
  EXPECT_FALSE(is_alive(run.worker()));
}

}  // namespace
}  // namespace onelane::test
