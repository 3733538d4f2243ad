#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/shims/policy_rows.hpp"

namespace onelane::test {
namespace {

using shims::Class;
using shims::find_shim;

TEST(GitPolicyTest, QuestionsAboutItselfPass) {
  expect_all("git", Class::Pass, {},
             {"",
              "--version",
              "-v",
              "--help",
              "-h",
              "--exec-path",
              "--html-path",
              "--man-path",
              "--info-path",
              "--list-cmds=main,others",
              "version",
              "help commit",
              "-C sub",
              "commit -h",
              "commit --help",
              "rebase -h",
              "unknown --help",
              "submodule -h",
              "commit --git-completion-helper",
              "remote add --git-completion-helper",
              "-c a.b=c --version",
              "--exec-path commit"});
}

TEST(GitPolicyTest, GlobalOptionsAreSkippedToFindTheCommand) {
  for (const std::string_view global : {"-C commit",
                                        "-c user.name=commit",
                                        "--git-dir x",
                                        "--git-dir=x",
                                        "--work-tree x",
                                        "--work-tree=x",
                                        "--namespace x",
                                        "--namespace=x",
                                        "--config-env a.b=C",
                                        "--config-env=a.b=C",
                                        "--attr-source x",
                                        "--attr-source=x",
                                        "--shallow-file x",
                                        "--super-prefix x",
                                        "-p",
                                        "--paginate",
                                        "-P",
                                        "--no-pager",
                                        "--bare",
                                        "--no-replace-objects",
                                        "--no-lazy-fetch",
                                        "--no-advice",
                                        "--no-optional-locks",
                                        "--literal-pathspecs",
                                        "--glob-pathspecs",
                                        "--noglob-pathspecs",
                                        "--icase-pathspecs",
                                        "--exec-path=/x",
                                        "-C a -C b",
                                        "-c a=b -C x --no-pager"}) {
    const std::string before{global};
    expect_all("git", Class::Lane, {}, {before + " add ."});
    expect_all("git", Class::Pass, {}, {before + " log"});
  }
}

TEST(GitPolicyTest, TargetFollowsEachDirectoryInTurn) {
  const Line line{"-C a -C '' -C ../b --git-dir=g --git-dir h commit -C HEAD"};
  const shims::Target target = find_shim("git")->target(line.args());
  EXPECT_EQ(target.directories, (std::vector<std::string>{"a", "../b"}));
  EXPECT_EQ(target.git_dir, "h");
  const Line plain{"commit -C HEAD --git-dir x"};
  EXPECT_TRUE(find_shim("git")->target(plain.args()).directories.empty());
  EXPECT_FALSE(find_shim("git")->target(plain.args()).git_dir.has_value());
}

TEST(GitPolicyTest, PushWaitsWhenAHookWillRun) {
  MapFacts facts;
  facts.hooks = {"pre-push"};
  expect_all("git", Class::Lane, facts, {"push", "push -n", "push -o ci.skip", "push --verify"});
  expect_all("git", Class::Pass, facts, {"push --no-verify", "push origin x --no-verify"});
}

TEST(GitPolicyTest, AliasesAreFollowed) {
  MapFacts facts = at_terminal();
  facts.aliases = {
      {"st", "status -sb"},          {"ci", "commit"},   {"cim", "ci -m"},
      {"sh", "!make test"},          {"sp", "  !echo"},  {"quoted", "commit -m 'a b' --no-edit"},
      {"l", "log --format='%h %s'"}, {"loop", "again"},  {"again", "loop"},
      {"broken", "log 'x"},          {"empty", ""},      {"log", "commit"},
      {"np", "-c core.pager= log"},  {"esc", "log\\ x"}, {"self", "self -x"}};
  expect_all("git", Class::Pass, facts,
             {"st", "l", "log", "np", "-C x st", "st -h", "ci --help", "ci -h"});
  expect_all("git", Class::Editor, facts, {"ci", "ci -a"});
  expect_all("git", Class::Lane, facts,
             {"ci -m x", "cim x", "sh", "sh --version", "sp", "quoted", "loop", "again", "broken",
              "empty", "esc", "self", "foo"});
  EXPECT_TRUE(decide("git", "st", facts).refreshes_index);
  EXPECT_TRUE(decide("git", "cim x", facts).writes_index);
}

TEST(GitPolicyTest, NothingOfGitPassesBelowAService) {
  for (const std::string_view line : {"add x", "commit -m x", "stash", "gc", "unknown"}) {
    EXPECT_FALSE(decide("git", line).passes_below_service) << line;
  }
}

}  // namespace
}  // namespace onelane::test
