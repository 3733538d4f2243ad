#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "tests/integration/guard_scene.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// What a run leaves in writing.
class CardTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    std::ofstream{scene_.sandbox().project() + "/" + name} << text;
  }
  [[nodiscard]] std::string index_lock() { return scene_.sandbox().project() + "/.git/index.lock"; }
  /// The contents of all files below `directory`.
  [[nodiscard]] static std::string everything_below(const std::string& directory) {
    std::string all;
    std::error_code ignored;
    for (const auto& entry : fs::recursive_directory_iterator{directory, ignored}) {
      std::ifstream file{entry.path()};
      all.append(std::istreambuf_iterator<char>{file}, {});
    }
    return all;
  }

  GuardScene scene_;
};

MATCHER(HasASparkline, "has a sparkline") {
  for (const char* block : {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}) {
    if (arg.find(block) != std::string::npos) {
      return true;
    }
  }
  return false;
}

// --- On stderr ----------------------------------------------------------------

TEST_F(CardTest, ThreeLinesSayWhatWhoAndWhichLineChangesIt) {
  write(".env.development", "# limits\n\nONELANE_MEMORY_LIMIT_MB=100\n");
  Running running = scene_.sandbox().start(scene_.hog({"say", "up", "leak", "150", "900"}));
  const pid_t pid = scene_.sandbox().wait_for("up").pid;
  const Ended ended = running.wait();
  EXPECT_TRUE(ended.exited_with(137)) << describe_status(ended.wait_status);
  // The warning at half of the limit comes first if the leak is slow enough.
  EXPECT_THAT(lines_with(ended.err, ""), AnyOf(SizeIs(3), SizeIs(4))) << ended.err;
  EXPECT_THAT(lines_with(ended.err, "onelane: "), Not(IsEmpty()));
  EXPECT_THAT(ended.err,
              AllOf(HasSubstr("MEMORY_LIMIT_MB"), HasSubstr("MB"), HasSubstr(std::to_string(pid)),
                    HasSubstr(".env.development:3"), HasASparkline()));
}

TEST_F(CardTest, ALimitOfTheEnvironmentIsNamedAsSuch) {
  scene_.limit("MAX_PROCESSES", "20");
  const Ended ended = scene_.run({"each", "40", "hold", "end", "hold"});
  EXPECT_THAT(ended.err, HasSubstr("ONELANE_MAX_PROCESSES")) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("environment")) << ended.err;
}

TEST_F(CardTest, TheAdviceOnAnOptionIsAnOptionThatLetsTheCommandEnd) {
  const Words leak = scene_.bare_hog({"leak", "150", "160"});
  const Words forks = {"sh", "-c", "for i in 1 2 3 4 5 6; do sleep 2 & done; wait"};
  const std::pair<Words, Words> cases[] = {{{"--memory", "100"}, leak},
                                           {{"--tree-memory", "100"}, leak},
                                           {{"--max-processes", "5"}, forks},
                                           {{"--timeout", "1"}, {"sleep", "1.5"}}};
  const auto run = [&](Words words, const Words& command) {
    words.insert(words.begin(), "run");
    words.emplace_back("--");
    words.insert(words.end(), command.begin(), command.end());
    return scene_.onelane(words);
  };
  for (const auto& [limit, command] : cases) {
    const Ended ended = run(limit, command);
    EXPECT_TRUE(ended.exited_with(limit[0] == "--timeout" ? 124 : 137)) << ended.err;
    constexpr std::string_view kBefore = "to allow more: ";
    const auto found = ended.err.find(kBefore);
    ASSERT_NE(found, std::string::npos) << limit[0] << ended.err;
    const std::string behind = ended.err.substr(found + kBefore.size());
    const std::string advice = behind.substr(0, behind.find_first_of(" \n"));
    EXPECT_THAT(advice, testing::StartsWith(limit[0] + "="));
    const Ended again = run({advice}, command);
    EXPECT_TRUE(again.exited_with(0)) << advice << again.err;
  }
}

TEST_F(CardTest, ATimeLimitHasACardToo) {
  write(".env.development", "ONELANE_TIMEOUT=1\n");
  const Ended ended = scene_.run({"hold"});
  EXPECT_TRUE(ended.exited_with(124));
  EXPECT_THAT(ended.err, AllOf(HasSubstr("TIMEOUT"), HasSubstr(".env.development:1")));
}

TEST_F(CardTest, StdoutIsTheToolsAlone) {
  scene_.limit("MEMORY_LIMIT_MB", "100");
  EXPECT_EQ(scene_.run({"leak", "200", "900"}).out, "");
}

TEST_F(CardTest, ARunThatNoLimitEndedIsSilent) {
  const Ended ended = scene_.run({"burst", "20", "exit", "137"});
  EXPECT_TRUE(ended.exited_with(137));
  EXPECT_EQ(ended.err, "");
}

// --- In the log and the journal -----------------------------------------------

TEST_F(CardTest, TheLogHasItInFull) {
  const std::string logs = scene_.sandbox().root() + "/logs";
  scene_.limit("LOG_DIR", logs);
  scene_.limit("MEMORY_LIMIT_MB", "100");
  EXPECT_TRUE(scene_.run({"each", "2", "hold", "end", "burst", "180", "hold"}).exited_with(137));
  const std::string all = everything_below(logs);
  EXPECT_THAT(all, HasSubstr("MEMORY_LIMIT_MB"));
  EXPECT_THAT(all, HasSubstr(scene_.mark()));
}

TEST_F(CardTest, TheRecordHasTheFiguresOfTheRun) {
  scene_.limit("TREE_MEMORY_LIMIT_MB", "150");
  EXPECT_TRUE(scene_.run({"each", "3", "burst", "80", "hold", "end", "hold"}).exited_with(137));
  const std::string record = scene_.only_record();
  EXPECT_EQ(field(record, "tool"), "make") << record;
  EXPECT_THAT(field(record, "argv"), HasSubstr(scene_.mark())) << record;
  EXPECT_NE(field(record, "id"), "") << record;
  EXPECT_EQ(field(record, "reason"), "tree-memory") << record;
  EXPECT_EQ(field(record, "code"), "137") << record;
  EXPECT_EQ(field(record, "empty"), "true") << record;
  EXPECT_GE(std::atol(field(record, "peak_tree_kb").c_str()), 150L * 1'024) << record;
  EXPECT_GE(std::atol(field(record, "peak_process_kb").c_str()), 30L * 1'024) << record;
  EXPECT_GE(std::atol(field(record, "peak_processes").c_str()), 4) << record;
}

TEST_F(CardTest, AnOrdinaryRunHasOneRecord) {
  EXPECT_TRUE(scene_.run({"exit", "3"}).exited_with(3));
  const std::string record = scene_.only_record();
  EXPECT_EQ(field(record, "reason"), "exited") << record;
  EXPECT_EQ(field(record, "code"), "3") << record;
  EXPECT_EQ(field(record, "empty"), "true") << record;
}

TEST_F(CardTest, ARunThatDiedOfASignalHasItsNumber) {
  EXPECT_TRUE(scene_.sandbox().run({"npm", "die", "TERM"}).died_of(SIGTERM));
  const std::string record = scene_.only_record();
  EXPECT_EQ(field(record, "reason"), "signalled") << record;
  EXPECT_EQ(field(record, "signal"), "15") << record;
}

TEST_F(CardTest, ARunWhoseShimWasKilledHasARecord) {
  Running running = scene_.sandbox().start(scene_.hog({"say", "up", "hold"}));
  scene_.sandbox().wait_for("up");
  // A guardian is there after the first milliseconds.
  eventually([] { return false; }, std::chrono::milliseconds{100});
  running.signal(SIGKILL);
  EXPECT_TRUE(running.wait().died_of(SIGKILL));
  EXPECT_TRUE(eventually([&] { return !scene_.journal().empty(); }));
  const std::string record = scene_.only_record();
  EXPECT_EQ(field(record, "reason"), "crashed") << record;
  scene_.expect_nothing_left();  // the guardian goes after it has written
}

TEST_F(CardTest, EachRunOfManyHasOneRecordAndAPassedCallHasNone) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(scene_.run({"exit", "0"}).exited_with(0));
  }
  EXPECT_TRUE(scene_.sandbox().run({"npm", "ls"}).exited_with(64));  // passes; no verb of the tool
  EXPECT_THAT(scene_.journal(), SizeIs(5));
}

// --- A lock of git's ----------------------------------------------------------

TEST_F(CardTest, AnIndexLockThatAKilledGitLeftIsNamedAndNotRemoved) {
  scene_.limit("TIMEOUT", "1");
  Running running = scene_.sandbox().start(
      scene_.hog({"ignore-term", "call", scene_.sandbox().tools() + "/git", "ignore", "TERM",
                  "redirect", "7", index_lock(), "trace", "locked", "sleep", "30000", "end"}));
  const pid_t git = scene_.sandbox().wait_for("locked").pid;
  const Ended ended = running.wait();
  EXPECT_TRUE(ended.exited_with(124)) << describe_status(ended.wait_status);
  EXPECT_TRUE(fs::exists(index_lock()));
  const auto lines = lines_with(ended.err, "index.lock");
  ASSERT_THAT(lines, Not(IsEmpty())) << ended.err;
  EXPECT_THAT(lines.front(), HasSubstr(std::to_string(git)));
  EXPECT_THAT(ended.err, HasSubstr("rm "));
}

TEST_F(CardTest, AnIndexLockOfAnotherGitIsNotBlamedOnTheRun) {
  std::ofstream{index_lock()} << "";
  scene_.limit("TIMEOUT", "1");
  const Ended ended = scene_.run({"hold"});
  EXPECT_TRUE(ended.exited_with(124)) << describe_status(ended.wait_status);
  EXPECT_THAT(lines_with(ended.err, "index.lock"), IsEmpty()) << ended.err;
  EXPECT_TRUE(fs::exists(index_lock()));
}

}  // namespace
}  // namespace onelane::test
