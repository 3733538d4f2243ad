#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/integration/workplace.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

/// Every line of the list that `onelane --help` prints.
std::vector<std::string> verbs(Workplace& shop) {
  std::vector<std::string> names;
  for (const std::string& line : lines_of(shop.must({"--help"}).out)) {
    if (line.starts_with("  ") && !line.starts_with("   ")) {
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
  }
  return names;
}

TEST(CommandsTest, VersionAndHelpAreOneCallAway) {
  Workplace shop;
  EXPECT_THAT(shop.must({"--version"}).out, StartsWith("onelane "));
  EXPECT_EQ(lines_of(shop.must({"--version"}).out).size(), 1U);
  EXPECT_EQ(shop.must({}).out, shop.must({"--help"}).out);
  EXPECT_THAT(verbs(shop), testing::IsSupersetOf({"init", "uninit", "run", "which", "explain",
                                                  "status", "settings", "trust", "ci"}));
}

TEST(CommandsTest, EachVerbExplainsItselfAndRefusesAnUnknownOptionInOneLine) {
  Workplace shop;
  const auto before = shop.tree();
  const auto names = verbs(shop);
  ASSERT_THAT(names, Not(IsEmpty()));
  for (const std::string& verb : names) {
    EXPECT_THAT(shop.must({verb, "--help"}).out, HasSubstr("onelane " + verb)) << verb;
    const Ended bad = shop.onelane({verb, "--no-such-option"});
    EXPECT_TRUE(bad.exited_with(64)) << verb << ": " << describe_status(bad.wait_status);
    EXPECT_EQ(bad.out, "") << verb;
    EXPECT_EQ(lines_of(bad.err).size(), 1U) << verb << ": " << bad.err;
    EXPECT_THAT(bad.err, StartsWith("onelane: ")) << verb;
  }
  EXPECT_EQ(shop.tree(), before);
}

TEST(CommandsTest, AnUnknownVerbEndsWithUsage) {
  Workplace shop;
  for (const char* verb : {"lanes", "--lanes", "", "in"}) {
    const Ended bad = shop.onelane({verb});
    EXPECT_TRUE(bad.exited_with(64)) << verb;
    EXPECT_EQ(lines_of(bad.err).size(), 1U) << bad.err;
  }
}

TEST(CommandsTest, WhichGivesTheRealToolAndWithAllWhatWasSkipped) {
  Workplace shop;
  shop.must({"init"});
  const std::string real = shop.sandbox().tools() + "/make";
  EXPECT_EQ(shop.must({"which", "make"}).out, real + "\n");
  const auto all = lines_of(shop.must({"which", "-a", "make"}).out);
  ASSERT_GE(all.size(), 2U);
  EXPECT_EQ(all[0], shop.sandbox().shims() + "/make (this onelane)");
  EXPECT_EQ(all[1], real);
  const Ended missing = shop.onelane({"which", "no-such-tool"});
  EXPECT_TRUE(missing.exited_with(127));
  EXPECT_THAT(missing.err, HasSubstr("no-such-tool"));
}

TEST(CommandsTest, ExplainNamesClassProjectLaneToolAndSettings) {
  Workplace shop;
  shop.must({"init"});
  const std::string text = shop.must({"explain", "--", "git", "commit", "-m", "x"}).out;
  EXPECT_THAT(text, AllOf(HasSubstr("class:    lane ("), HasSubstr("project:  " + shop.path()),
                          HasSubstr("lane:     " + shop.path(".git/onelane")),
                          HasSubstr("tool:     " + shop.sandbox().tools() + "/git"),
                          HasSubstr("kill_timeout=10s (built-in)")));
  EXPECT_THAT(shop.must({"explain", "--", "npm", "run", "dev"}).out,
              HasSubstr("class:    service"));
  EXPECT_THAT(shop.must({"explain", "git", "log"}).out, HasSubstr("class:    pass ("));
  EXPECT_THAT(shop.sandbox().trace(), IsEmpty());
}

TEST(CommandsTest, ExplainIsOneJsonObjectWhenAsked) {
  Workplace shop;
  shop.must({"init"});
  const std::string json = shop.must({"explain", "--json", "--", "make", "all"}).out;
  EXPECT_EQ(lines_of(json).size(), 1U);
  EXPECT_THAT(json, AllOf(HasSubstr("\"schema\":1"), HasSubstr("\"class\":\"lane\""),
                          HasSubstr("\"action\":\"lane\""), HasSubstr("\"call\":\"make all\""),
                          HasSubstr("\"project\":\"" + shop.path() + "\"")));
  EXPECT_TRUE(shop.onelane({"explain"}).exited_with(64));
  EXPECT_TRUE(shop.onelane({"explain", "--"}).exited_with(64));
}

TEST(CommandsTest, ExplainShowsWhatABoundOnWorkersChanges) {
  Workplace shop;
  shop.must({"init"});
  const std::vector<std::string> call{"explain", "--", "make", "-j99", "all"};
  EXPECT_THAT(shop.must(call).out, Not(HasSubstr("workers: ")));
  shop.write("onelane.toml", "# the shop is small\nmax_workers = 1\n");
  EXPECT_THAT(shop.must(call).out,
              AllOf(HasSubstr("workers:  PYTEST_XDIST_AUTO_NUM_WORKERS=1 (max_workers, " +
                              shop.path("onelane.toml") + ":2)\n"),
                    Not(HasSubstr("lowered:")), Not(HasSubstr("VITEST_MAX"))));
  shop.write("onelane.toml", "max_workers = 1\nclamp = \"hard\"\n");
  EXPECT_THAT(shop.must(call).out,
              AllOf(HasSubstr("call:     make -j99 all\n"), HasSubstr("command:  make -j1 all\n"),
                    HasSubstr("lowered:  -j99 -> -j1\n"), HasSubstr("VITEST_MAX_WORKERS=1")));
  EXPECT_THAT(
      shop.must({"explain", "--json", "--", "make", "-j99", "all"}).out,
      AllOf(HasSubstr(R"("command":["make","-j1","all"])"),
            HasSubstr(R"("lowered":["-j99 -> -j1"])"), HasSubstr(R"("VITEST_MAX_FORKS":"1")")));
  EXPECT_THAT(shop.must({"explain", "--", "make", "-n", "-j99"}).out,
              AllOf(HasSubstr("class:    pass"), Not(HasSubstr("workers: "))));
}

TEST(CommandsTest, ExplainShowsTheProcessorsThatASettingNames) {
  Workplace shop;
  shop.must({"init"});
  shop.write("onelane.toml", "cpu_affinity = \"0\"\n");
  EXPECT_THAT(shop.must({"explain", "--", "make"}).out, HasSubstr("affinity: 0\n"));
  EXPECT_THAT(shop.must({"explain", "--json", "--", "make"}).out, HasSubstr(R"("affinity":[0])"));
}

TEST(CommandsTest, StatusSaysNoneWhenTheLaneIsFree) {
  Workplace shop;
  EXPECT_TRUE(shop.onelane({"status"}).exited_with(1));
  shop.must({"init"});
  EXPECT_THAT(shop.must({"status"}).out, HasSubstr("holder:  none"));
  EXPECT_THAT(
      shop.must({"status", "--json"}).out,
      AllOf(HasSubstr("\"schema\":1"), HasSubstr("\"holder\":null"), HasSubstr("\"queue\":[]")));
}

TEST(CommandsTest, StatusShowsTheHolderAndTheQueueInTheirOrder) {
  Workplace shop;
  shop.must({"init"});
  Gate gate{shop.sandbox()};
  Running holder = shop.start({"make", "trace", "ready", "hold-until", gate.path()});
  shop.sandbox().wait_for("ready");
  Running first = shop.start({"pytest", "trace", "first"});
  const auto waits = [&](const std::string& line) {
    return [&shop, line] { return shop.onelane({"status"}).out.find(line) != std::string::npos; };
  };
  ASSERT_TRUE(eventually(waits("1.       pytest trace first  (pid ")));
  Running second = shop.start({"npm", "trace", "second"});
  ASSERT_TRUE(eventually(waits("2.       npm trace second  (pid ")));
  EXPECT_THAT(shop.must({"status"}).out, HasSubstr("holder:  make trace ready"));

  const std::string json = shop.must({"status", "--json"}).out;
  EXPECT_EQ(lines_of(json).size(), 1U);
  const std::string id = json.substr(json.find("\"id\":\"") + 6, 11);
  EXPECT_THAT(shop.must({"status"}).out, HasSubstr(", run " + id + ", user "));
  EXPECT_THAT(json, AllOf(HasSubstr("\"project\":\"" + shop.path() + "\""),
                          HasSubstr("\"command\":\"make trace ready hold-until"),
                          HasSubstr("\"state\":\"running\""),
                          HasSubstr("\"pid\":" + std::to_string(holder.pid()))));
  const std::string queue = json.substr(json.find("\"queue\""));
  EXPECT_LT(queue.find("pytest trace first"), queue.find("npm trace second"));
  EXPECT_THAT(queue, HasSubstr("\"state\":\"waiting\""));

  gate.open();
  EXPECT_TRUE(holder.wait().exited_with(0));
  EXPECT_TRUE(first.wait().exited_with(0));
  EXPECT_TRUE(second.wait().exited_with(0));
  EXPECT_THAT(shop.must({"status", "--json"}).out, HasSubstr("\"holder\":null"));
}

TEST(CommandsTest, SettingsGivesEachValueWithItsPlace) {
  Workplace shop;
  shop.must({"init"});
  shop.write(".env.development", "# onelane\nTIMEOUT=90\n# /onelane\n");
  shop.sandbox().set_environment("ONELANE_MAX_PROCESSES", "33");
  const std::string text = shop.must({"settings"}).out;
  EXPECT_THAT(lines_of(text),
              testing::Contains(AllOf(StartsWith("timeout=90s "), EndsWith(".env.development:2"))));
  EXPECT_THAT(lines_of(text), testing::Contains(AllOf(StartsWith("max_processes=33 "),
                                                      HasSubstr("ONELANE_MAX_PROCESSES"))));
  const std::string json = shop.must({"settings", "--json"}).out;
  EXPECT_EQ(lines_of(json).size(), 1U);
  EXPECT_THAT(json, AllOf(HasSubstr("\"schema\":1"), HasSubstr("\"max_processes\":{")));
}

TEST(CommandsTest, CiPathIsTheLineForTheRunnersPath) {
  Workplace shop;
  EXPECT_TRUE(shop.onelane({"ci-path"}).exited_with(1));
  shop.must({"init", "--ci"});
  EXPECT_EQ(shop.must({"ci", "path"}).out, shop.path(".onelane/bin\n"));
  EXPECT_EQ(shop.must({"ci-path"}).out, shop.must({"ci", "path"}).out);
  EXPECT_TRUE(shop.onelane({"ci"}).exited_with(64));
  fs::create_directory(shop.path("deep"));
  EXPECT_EQ(shop.must({"ci-path"}, shop.path("deep")).out, shop.path(".onelane/bin\n"));
}

using Words = std::vector<std::string>;

/// What may stand in the place of a file, and how it is created.
const std::vector<std::pair<std::string, std::string>> kOdd{
    {"a FIFO", "mkfifo \"$0\""},
    {"a directory", "mkdir \"$0\""},
    {"a symbolic link", "ln -s \"$0\" \"$0\""},
    {"a symbolic link", "ln -s gone \"$0\""}};

void put(Workplace& shop, const std::string& how, const std::string& path) {
  ASSERT_TRUE(shop.run({"/bin/sh", "-c", "rm -rf \"$0\" && " + how, path}).exited_with(0)) << how;
}

TEST(CommandsTest, WhatIsNoLaneFileIsNamedByEveryVerbThatNeedsIt) {
  Workplace shop;
  shop.must({"init"});
  const std::string lane = shop.path(".git/onelane/lane");
  for (const auto& [kind, how] : kOdd) {
    put(shop, how, lane);
    const std::string line =
        "onelane: open " + lane + ", which is " + kind + " (see `onelane doctor`): ";
    for (const Words& words :
         {Words{"status"}, Words{"status", "--json"}, Words{"wait"}, Words{"cancel", "abc"},
          Words{"bump", "abc"}, Words{"hold"}, Words{"release"}, Words{"steal", "abc"},
          Words{"stop", "--yes"}, Words{"orphans"}, Words{"monitor", "--json", "--once"}}) {
      const Ended ended = shop.onelane(words);
      EXPECT_TRUE(ended.exited_with(1)) << words[0] << " " << describe_status(ended.wait_status);
      EXPECT_EQ(ended.out, "") << words[0];
      EXPECT_EQ(lines_of(ended.err).size(), 1U) << ended.err;
      EXPECT_THAT(ended.err, StartsWith(line)) << words[0];
    }
    EXPECT_THAT(shop.onelane({"doctor"}).out, HasSubstr("wrong  lane      the lane file is "));
    const Ended runs = shop.onelane({"runs"});
    EXPECT_TRUE(runs.exited_with(0)) << kind;
    EXPECT_EQ(runs.out, "no runs\n");
    EXPECT_THAT(runs.err, StartsWith(line));
  }
}

TEST(CommandsTest, AJournalThatCannotBeReadIsNoEmptyOne) {
  Workplace shop;
  shop.must({"init"});
  const std::string journal = shop.path(".git/onelane/runs.jsonl");
  for (const auto& [kind, how] : kOdd) {
    put(shop, how, journal);
    for (const Words& words : {Words{"runs"}, Words{"runs", "--json"}, Words{"runs", "view", "abc"},
                               Words{"runs", "watch", "abc"}, Words{"logs"}, Words{"logs", "abc"},
                               Words{"stats"}, Words{"report"}}) {
      const Ended ended = shop.onelane(words);
      EXPECT_TRUE(ended.exited_with(1)) << words[0] << " " << describe_status(ended.wait_status);
      EXPECT_EQ(ended.out, "") << words[0];
      EXPECT_EQ(lines_of(ended.err).size(), 1U) << ended.err;
      EXPECT_THAT(ended.err, StartsWith("onelane: open " + journal + ", which is " + kind));
    }
  }
}

TEST(CommandsTest, StandardOutputThatCannotBeWrittenIs125) {
  Workplace shop;
  shop.must({"init"});
  const std::string onelane = shop.sandbox().root() + "/admin/onelane";
  for (const char* words :
       {"status", "wait", "hold", "release", "stop --yes", "report", "report --html -", "runs",
        "stats", "logs", "settings", "orphans", "monitor --once", "monitor --json", "--version"}) {
    for (const char* to : {">/dev/full", ">&-"}) {
      const Ended ended =
          shop.run({"/bin/sh", "-c", "\"$0\" " + std::string{words} + " " + to, onelane});
      EXPECT_TRUE(ended.exited_with(125)) << words << to << describe_status(ended.wait_status);
      EXPECT_THAT(ended.err, StartsWith("onelane: write standard output: ")) << words << to;
      EXPECT_EQ(lines_of(ended.err).size(), 1U) << ended.err;
    }
  }
}

TEST(CommandsTest, AnEmptyIdOrFileNameIsUsage) {
  Workplace shop;
  shop.must({"init"});
  for (const Words& words :
       {Words{"bump", ""}, Words{"cancel", ""}, Words{"cancel", "abc", ""}, Words{"logs", ""},
        Words{"report", "--html", ""}, Words{"report", "--trace", ""}, Words{"runs", "view", ""},
        Words{"runs", "watch", ""}, Words{"steal", ""}, Words{"stop", "", "--yes"},
        Words{"wait", ""}}) {
    const Ended ended = shop.onelane(words);
    EXPECT_TRUE(ended.exited_with(64)) << words[0] << describe_status(ended.wait_status);
    EXPECT_EQ(ended.out, "") << words[0];
    EXPECT_THAT(ended.err, HasSubstr(": is empty (see `onelane ")) << words[0];
  }
}

}  // namespace
}  // namespace onelane::test
