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
                                                  "status", "settings", "trust", "ci-path"}));
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

TEST(CommandsTest, StatusSaysNobodyWhenTheLaneIsFree) {
  Workplace shop;
  EXPECT_TRUE(shop.onelane({"status"}).exited_with(1));
  shop.must({"init"});
  EXPECT_THAT(shop.must({"status"}).out, HasSubstr("holder:  nobody"));
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
  EXPECT_EQ(shop.must({"ci-path"}).out, shop.path(".onelane/bin\n"));
  fs::create_directory(shop.path("deep"));
  EXPECT_EQ(shop.must({"ci-path"}, shop.path("deep")).out, shop.path(".onelane/bin\n"));
}

}  // namespace
}  // namespace onelane::test
