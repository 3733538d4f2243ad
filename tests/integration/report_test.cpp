#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/integration/workplace.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

/// A project whose journal has one passed run and one that a limit ended.
ino_t inode_of(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info.st_ino;
}

class ReportTest : public testing::Test {
 protected:
  ReportTest() {
    shop.must({"init"});
    shop.must({"run", "--", "true"});
    const json passed = json::parse(shop.read(kJournal));
    json over = passed;
    over["id"] = "abcdefghij7";
    over["argv"] = {"npm", "\x1b[2J<b>|\n::error::x"};
    over["reason"] = "memory";
    over["code"] = 137;
    over["card"] = {{"used", 3U << 20U}, {"limit", 2U << 20U}, {"limit_name", "MEMORY_LIMIT_MB"}};
    shop.write(kJournal, line(passed) + line(over) + "{\"schema\":1,\"id\":\"torn");
  }

  /// With `schema` first, as in a journal.
  static std::string line(json record) {
    record.erase("schema");
    return "{\"schema\":1," + record.dump().substr(1) + "\n";
  }

  /// A shell that becomes `onelane report --html page.html` after `first`.
  Ended page_after(const std::string& first) {
    return shop.run({"bash", "-c", first + "; exec \"$0\" report --html page.html",
                     shop.sandbox().root() + "/admin/onelane"});
  }

  static constexpr const char* kJournal = ".git/onelane/runs.jsonl";
  Workplace shop;
};

TEST_F(ReportTest, SaysInAFewLinesWhatTheLaneDid) {
  const Ended report = shop.must({"report"});
  EXPECT_THAT(report.out,
              AllOf(HasSubstr("runs     2"), HasSubstr("ended    1 by a limit"),
                    HasSubstr("used 3 MB of 2 MB (MEMORY_LIMIT_MB)"), Not(HasSubstr("\x1b"))));
  EXPECT_THAT(report.err, IsEmpty());
}

TEST_F(ReportTest, JsonHasTheFiguresAndTheRuns) {
  const json report = json::parse(shop.must({"report", "--json"}).out);
  EXPECT_EQ(report.at("schema"), 1);
  EXPECT_EQ(report.at("figures").at("runs"), 2);
  EXPECT_EQ(report.at("figures").at("ended"), 1);
  EXPECT_EQ(report.at("runs").size(), 2U);
}

TEST_F(ReportTest, OldRunsAreLeftOutUnlessAskedFor) {
  json old = json::parse(lines_of(shop.read(kJournal)).at(0));
  for (const char* name : {"queued_wall_ms", "started_wall_ms", "ended_wall_ms"}) {
    old[name] = old[name].get<std::int64_t>() - 8LL * 86'400'000;
  }
  shop.write(kJournal, line(old));
  EXPECT_THAT(shop.must({"report"}).out, HasSubstr("no runs in that time"));
  EXPECT_THAT(shop.must({"report", "--since", "9d"}).out, HasSubstr("runs     1"));
  EXPECT_THAT(shop.must({"report", "--since", "all"}).out, HasSubstr("runs     1"));
}

TEST_F(ReportTest, WritesPageAndTraceWhole) {
  shop.must({"report", "--html", "page.html", "--trace", "trace.json"});
  EXPECT_THAT(shop.read("page.html"), StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(json::parse(shop.read("trace.json")).at("traceEvents").size(), testing::Ge(4U));
  EXPECT_THAT(shop.must({"report", "--html", "-"}).out, StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(shop.must({"report", "--html", "/dev/stdout"}).out, StartsWith("<!DOCTYPE html>"));
  EXPECT_TRUE(fs::is_symlink("/dev/stdout"));
}

TEST_F(ReportTest, AFullDiskCostsOneLineAndLeavesTheOldFile) {
  shop.write("page.html", "old");
  const Ended full = page_after("trap '' XFSZ; ulimit -f 4");
  EXPECT_TRUE(full.exited_with(1)) << full.err;
  EXPECT_EQ(full.err, "onelane: write page.html: File too large\n");
  EXPECT_EQ(shop.read("page.html"), "old");
  std::size_t left = 0;
  for (const auto& entry : fs::directory_iterator(shop.path())) {
    left += entry.path().filename().string().starts_with("page.html.") ? 1U : 0U;
  }
  EXPECT_EQ(left, 0U) << "half a file is left behind";
  EXPECT_TRUE(shop.onelane({"report", "--html", "/dev/full"}).exited_with(1));
  EXPECT_TRUE(shop.onelane({"report", "--html", "no/such/page.html"}).exited_with(1));
  EXPECT_TRUE(shop.onelane({"report", "--html", "."}).exited_with(1));
}

TEST_F(ReportTest, ALinkInThePlaceOfTheNewFileIsNotFollowed) {
  shop.write("victim", "mine");
  const Ended linked = page_after("ln -s victim page.html.onelane-$$-0");
  EXPECT_TRUE(linked.exited_with(0)) << linked.err;
  EXPECT_EQ(shop.read("victim"), "mine");
  EXPECT_THAT(shop.read("page.html"), StartsWith("<!DOCTYPE html>"));
}

TEST_F(ReportTest, ALinkStaysOneAndAnOldFileKeepsItsMode) {
  shop.write("kept/old.html", "old");
  fs::permissions(shop.path("kept/old.html"), fs::perms{0640});
  fs::create_symlink("kept/link.html", shop.path("page.html"));
  fs::create_symlink("old.html", shop.path("kept/link.html"));
  shop.must({"report", "--html", "page.html"});
  EXPECT_TRUE(fs::is_symlink(shop.path("page.html")));
  EXPECT_TRUE(fs::is_symlink(shop.path("kept/link.html")));
  EXPECT_THAT(shop.read("kept/old.html"), StartsWith("<!DOCTYPE html>"));
  EXPECT_EQ(fs::status(shop.path("kept/old.html")).permissions(), fs::perms{0640});
  fs::create_symlink("kept/new.json", shop.path("trace.json"));  // its target does not exist yet
  shop.must({"report", "--trace", "trace.json"});
  EXPECT_TRUE(fs::is_symlink(shop.path("trace.json")));
  EXPECT_TRUE(fs::is_regular_file(shop.path("kept/new.json")));
  fs::create_symlink("loop", shop.path("loop"));
  EXPECT_TRUE(shop.onelane({"report", "--html", "loop"}).exited_with(1));
}

TEST_F(ReportTest, ADescriptorIsWrittenToAndNeverReplaced) {
  const std::string onelane = shop.sandbox().root() + "/admin/onelane";
  for (const std::string target : {"/dev/stdout", "/dev/fd/1", "-"}) {
    shop.write("page.html", "");
    const auto before = inode_of(shop.path("page.html"));
    const std::string script = "'" + onelane + "' report --html " + target + " >> page.html";
    EXPECT_TRUE(shop.run({"/bin/bash", "-c", "echo head > page.html; " + script}).exited_with(0));
    EXPECT_THAT(shop.read("page.html"), StartsWith("head\n<!DOCTYPE html>")) << target;
    EXPECT_EQ(inode_of(shop.path("page.html")), before) << target;
  }
  const std::string third = "'" + onelane + "' report --trace /dev/fd/3 3> trace.json";
  EXPECT_TRUE(shop.run({"/bin/bash", "-c", third}).exited_with(0));
  EXPECT_THAT(shop.read("trace.json"), StartsWith("{"));
  EXPECT_TRUE(shop.onelane({"report", "--html", "/dev/fd/199"}).exited_with(1));
}

TEST_F(ReportTest, OnlyOneThingGoesToStandardOutput) {
  for (const std::string other : {"--trace=-", "--trace=/dev/stdout", "--json", "--github"}) {
    const Ended ended = shop.onelane({"report", "--html", "-", other});
    EXPECT_TRUE(ended.exited_with(64)) << other;
    EXPECT_EQ(ended.out, "") << other;
  }
  EXPECT_THAT(shop.must({"report", "--html", "page.html", "--trace", "-"}).out, StartsWith("{"));
}

TEST_F(ReportTest, AppendsTheJobSummaryAndAnnotatesOnStandardOutput) {
  shop.sandbox().set_environment("GITHUB_STEP_SUMMARY", {});
  EXPECT_THAT(shop.must({"report", "--github"}).out, StartsWith("### onelane"));
  shop.write("summary.md", "before\n");
  shop.sandbox().set_environment("GITHUB_STEP_SUMMARY", shop.path("summary.md"));
  const Ended report = shop.must({"report", "--github"});
  EXPECT_EQ(report.out,
            "::error title=onelane%3A memory limit::npm ?[2J<b>|?::error::x: used 3 MB of 2 MB "
            "(MEMORY_LIMIT_MB)\n");
  EXPECT_THAT(shop.read("summary.md"),
              AllOf(StartsWith("before\n### onelane"), Not(HasSubstr("<b>"))));
}

TEST_F(ReportTest, RefusesWhatItDoesNotUnderstand) {
  EXPECT_TRUE(shop.onelane({"report", "--since", "soon"}).exited_with(64));
  EXPECT_TRUE(shop.onelane({"report", "extra"}).exited_with(64));
  Workplace elsewhere;
  EXPECT_TRUE(elsewhere.onelane({"report"}).exited_with(1));
}

}  // namespace
}  // namespace onelane::test
