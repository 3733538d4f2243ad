#include <algorithm>
#include <string>
#include <vector>

#include "shims/args.hpp"
#include "shims/tables.hpp"
#include "tests/unit/shims/policy_rows.hpp"

namespace onelane::test {
namespace {

using shims::Class;
using shims::Decision;
using shims::ToolLists;

Class listed(std::string_view text, const ToolLists& lists) {
  const Line line{text};
  const Decision decision = shims::classify_listed(line.args(), lists);
  EXPECT_FALSE(decision.reason.empty()) << text;
  EXPECT_TRUE(decision.passes_below_service) << text;
  return decision.cls;
}

Class applied(std::string_view tool, std::string_view text, const ToolLists& lists,
              const MapFacts& facts = {}) {
  const Line line{text};
  const Decision decision = shims::apply_lists(tool, line.args(), decide(tool, text, facts), lists);
  EXPECT_FALSE(decision.reason.empty()) << text;
  return decision.cls;
}

TEST(ShimTableTest, NamesAreExact) {
  ASSERT_EQ(shims::all_shims().size(), 5U);
  for (const shims::Shim& shim : shims::all_shims()) {
    EXPECT_EQ(shims::find_shim(shim.name), &shim);
  }
  for (const std::string_view name : {"", "gi", "gitk", "Git", "gmake", "pytest-3", "npx", "zzz"}) {
    EXPECT_EQ(shims::find_shim(name), nullptr) << name;
  }
}

TEST(ListedToolTest, FirstOperandDecides) {
  const ToolLists lists{.pass = {"metadata", "tree", "fmt-*"}, .service = {"watch", "*-serve"}};
  EXPECT_EQ(listed("metadata --format-version 1", lists), Class::Pass);
  EXPECT_EQ(listed("--locked tree", lists), Class::Pass);
  EXPECT_EQ(listed("fmt-check", lists), Class::Pass);
  EXPECT_EQ(listed("watch -x test", lists), Class::Service);
  EXPECT_EQ(listed("web-serve", lists), Class::Service);
  EXPECT_EQ(listed("build", lists), Class::Lane);
  EXPECT_EQ(listed("build metadata", lists), Class::Lane);
  EXPECT_EQ(listed("fmt", lists), Class::Lane);
  EXPECT_EQ(listed("", lists), Class::Lane);
}

TEST(NamesCallTest, ByToolOrByAllItsSubjects) {
  const auto names = [](const std::vector<std::string>& entries, std::string_view tool,
                        std::string_view text) {
    return shims::names_call(entries, tool, Line{text}.args());
  };
  EXPECT_FALSE(names({}, "make", "test"));
  EXPECT_TRUE(names({"make"}, "make", ""));
  EXPECT_FALSE(names({"make"}, "gmake", ""));
  const std::vector<std::string> entries{"make:test", "make:check*",  "npm:test",
                                         "git:stash", "pytest:tests", "cargo:test"};
  EXPECT_TRUE(names(entries, "make", "-C below -j 4 test"));
  EXPECT_TRUE(names(entries, "make", "test check-all V=1"));
  EXPECT_FALSE(names(entries, "make", "test install"));
  EXPECT_FALSE(names(entries, "make", ""));
  EXPECT_TRUE(names(entries, "npm", "run test"));
  EXPECT_TRUE(names(entries, "git", "-C x stash"));
  EXPECT_TRUE(names(entries, "pytest", "-k word -x tests"));
  EXPECT_FALSE(names(entries, "pytest", "-k tests"));
  EXPECT_TRUE(names(entries, "cargo", "--locked test"));
}

TEST(ListedToolTest, AnswersPassAndTheRestFallsBack) {
  ToolLists lists;
  lists.fallback = Class::Pass;
  EXPECT_EQ(listed("build", lists), Class::Pass);
  for (const std::string_view text : {"--version", "--help", "-h", "-V"}) {
    EXPECT_EQ(listed(text, {}), Class::Pass) << text;
  }
  EXPECT_EQ(listed("run --version", {}), Class::Lane);
  EXPECT_EQ(listed("", {}), Class::Lane);
}

TEST(ProjectListsTest, MakeNeedsEveryGoalListed) {
  const ToolLists lists{.pass = {"print-*"}, .service = {"serve", "dev"}};
  EXPECT_EQ(applied("make", "serve", lists), Class::Service);
  EXPECT_EQ(applied("make", "-j4 PORT=1 serve dev", lists), Class::Service);
  EXPECT_EQ(applied("make", "print-version serve", lists), Class::Service);
  EXPECT_EQ(applied("make", "print-version", lists), Class::Pass);
  EXPECT_EQ(applied("make", "serve test", lists), Class::Lane);
  EXPECT_EQ(applied("make", "", lists), Class::Lane);
  EXPECT_EQ(applied("make", "-n serve", lists), Class::Pass) << "a dry run stays a dry run";
  EXPECT_EQ(applied("make", "-C serve all", lists), Class::Lane);
}

TEST(ProjectListsTest, NpmScriptsGitCommandsAndFirstArguments) {
  const ToolLists lists{.pass = {"lint", "tag", "dev", "test"}, .service = {"docs:*", "svn"}};
  EXPECT_EQ(applied("npm", "run lint", lists), Class::Pass);
  EXPECT_EQ(applied("npm", "--prefix web rum lint", lists), Class::Pass);
  EXPECT_EQ(applied("npm", "run dev", lists), Class::Pass);
  EXPECT_EQ(applied("npm", "t", lists), Class::Pass);
  EXPECT_EQ(applied("npm", "run docs:live", lists), Class::Service);
  EXPECT_EQ(applied("npm", "run build", lists), Class::Lane);
  EXPECT_EQ(applied("npm", "install lint", lists), Class::Lane);
  EXPECT_EQ(applied("git", "-C x tag v1", lists), Class::Pass);
  EXPECT_EQ(applied("git", "svn rebase", lists), Class::Service);
  EXPECT_EQ(applied("git", "commit -m tag", lists), Class::Lane);
  EXPECT_EQ(applied("vitest", "run lint", lists), Class::Lane);
  EXPECT_EQ(applied("pytest", "-x lint", lists), Class::Pass);
}

TEST(GlobTest, StarStandsForAnyRun) {
  using shims::glob_matches;
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("*:dev", "web:dev"));
  EXPECT_TRUE(glob_matches("a*b*c", "axxbyyc"));
  EXPECT_TRUE(glob_matches("a*b", "abab"));
  EXPECT_FALSE(glob_matches("a*b", "aba"));
  EXPECT_FALSE(glob_matches("dev", "develop"));
  EXPECT_FALSE(glob_matches("?ev", "dev"));
}

bool kept(std::string_view name, const std::vector<std::string_view>& arguments) {
  return std::ranges::any_of(shims::keep_list(), [&](const shims::KeepRule& rule) {
    return shims::keeps(rule, name, arguments);
  });
}

TEST(KeepListTest, DaemonsAreKeptAndWorkersAreNot) {
  EXPECT_TRUE(kept("git", {"fsmonitor--daemon", "run"}));
  EXPECT_TRUE(kept("git", {"maintenance", "run", "--auto"}));
  EXPECT_TRUE(kept("git-credential-cache--daemon", {"/x"}));
  EXPECT_TRUE(kept("git-credential-", {}));
  EXPECT_TRUE(kept("ssh: /home/u/.ssh/m [mux]", {}));
  EXPECT_TRUE(kept("gpg-agent", {"--daemon"}));
  EXPECT_TRUE(kept("sccache", {}));
  EXPECT_TRUE(kept("java", {"-cp", "x", "org.gradle.launcher.daemon.bootstrap.GradleDaemon"}));
  EXPECT_TRUE(kept("postgres", {"-D", "x"}));
  EXPECT_TRUE(kept("tmux: server", {}));
  EXPECT_TRUE(kept("chrome", {"https://example.org"}));
  EXPECT_FALSE(kept("chrome", {"--headless", "--remote-debugging-port=0"}));
  EXPECT_FALSE(kept("chrome", {"--headless=new"}));
  EXPECT_FALSE(kept("firefox", {"-marionette"}));
  EXPECT_FALSE(kept("firefox", {"--marionette", "--headless"}));
  EXPECT_FALSE(kept("git", {"commit", "-m", "x"}));
  EXPECT_FALSE(kept("java", {"-jar", "app.jar"}));
  EXPECT_FALSE(kept("ssh", {"host"}));
  EXPECT_FALSE(kept("node", {"server.js"}));
  EXPECT_EQ(shims::index_lock_name(), "index.lock");
}

}  // namespace
}  // namespace onelane::test
