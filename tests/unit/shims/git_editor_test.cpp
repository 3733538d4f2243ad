#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/shims/policy_rows.hpp"

namespace onelane::test {
namespace {

using shims::Class;

TEST(GitPolicyTest, EditorsAreEditorsOnlyWhereSomeoneIsThere) {
  const std::vector<std::string> lines{"commit",
                                       "commit -a",
                                       "commit --amend",
                                       "commit -am x -e",
                                       "commit -v",
                                       "commit -t file",
                                       "commit -c HEAD",
                                       "commit -ac HEAD",
                                       "commit --reedit-message=HEAD",
                                       "commit --squash x",
                                       "commit --fixup=amend:x",
                                       "commit --fixup reword:x",
                                       "commit -C HEAD --edit",
                                       "commit -m x --edit",
                                       "commit -sS",
                                       "commit -uno",
                                       "commit -- -m",
                                       "merge x",
                                       "merge --edit x",
                                       "merge -m x -e y",
                                       "merge --continue",
                                       "revert x",
                                       "revert --continue",
                                       "cherry-pick -e x",
                                       "cherry-pick --continue",
                                       "pull",
                                       "pull -e",
                                       "pull --rebase=interactive",
                                       "pull -ri",
                                       "pull --rebase=false",
                                       "rebase -i main",
                                       "rebase --interactive main",
                                       "rebase --inter main",
                                       "rebase --edit-todo",
                                       "rebase --continue",
                                       "rebase -ir main",
                                       "tag -a v1",
                                       "tag -s v1",
                                       "tag -u key v1",
                                       "tag -e -m x v1",
                                       "notes add",
                                       "notes edit",
                                       "notes append",
                                       "notes add -f x",
                                       "notes add -c x",
                                       "add -e",
                                       "branch --edit-description",
                                       "config -e",
                                       "config --global --edit",
                                       "config edit",
                                       "replace --edit x",
                                       "send-email --compose x"};
  expect_all("git", Class::Editor, at_terminal(), lines);
  for (const std::string_view quiet : {"true", ":", "/bin/true"}) {
    MapFacts facts = at_terminal();
    facts.variables["GIT_EDITOR"] = quiet;
    for (const std::string& line : lines) {
      EXPECT_NE(decide("git", line, facts).cls, Class::Editor)
          << "GIT_EDITOR=" << quiet << " git " << line;
      EXPECT_NE(decide("git", line).cls, Class::Editor) << "no terminal: git " << line;
    }
  }
}

TEST(GitPolicyTest, PromptsDoNotCareAboutTheEditor) {
  MapFacts facts = at_terminal();
  facts.variables["GIT_EDITOR"] = "true";
  const std::vector<std::string> lines{"add -p",         "add -i",
                                       "add --patch",    "add -Ap",
                                       "checkout -p",    "checkout --patch x",
                                       "restore -p",     "restore -Sp x",
                                       "reset -p",       "stash -p",
                                       "stash push -p",  "stash save --patch",
                                       "commit -p",      "commit --interactive",
                                       "commit -p -m x", "clean -i",
                                       "clean -fi",      "am -i x",
                                       "difftool",       "mergetool",
                                       "citool"};
  expect_all("git", Class::Editor, facts, lines);
  for (const std::string& line : lines) {
    if (line != "citool") {
      EXPECT_EQ(decide("git", line).cls, Class::Lane) << "no terminal: git " << line;
    }
  }
}

TEST(GitPolicyTest, MessagesGivenOnTheLineNeedNoEditor) {
  expect_all("git", Class::Lane, at_terminal(),
             {"commit -m x",
              "commit -am x",
              "commit -qm x",
              "commit -mx",
              "commit -aF file",
              "commit -F -",
              "commit -C HEAD",
              "commit --message=x",
              "commit --message x",
              "commit --mes x",
              "commit --file x",
              "commit --amend --no-edit",
              "commit --amend -m x",
              "commit --amend -C HEAD",
              "commit --reuse-message=HEAD",
              "commit --fixup x",
              "commit --fixup=x",
              "commit -asm x",
              "commit -m -e",
              "commit --edit --no-edit",
              "commit -m x -p --dry-run",
              "commit --dry-run",
              "commit --short",
              "commit --porcelain",
              "merge --no-edit x",
              "merge -m x y",
              "merge --abort",
              "merge --quit",
              "merge --ff-only x",
              "merge --squash x",
              "merge --no-commit x",
              "revert --no-edit x",
              "revert -n x",
              "revert --abort",
              "cherry-pick x",
              "cherry-pick -x a b",
              "cherry-pick --abort",
              "cherry-pick --continue --no-edit",
              "pull --no-edit",
              "pull --ff-only",
              "pull --rebase",
              "pull -r",
              "pull --rebase=merges",
              "pull --squash",
              "rebase main",
              "rebase --abort",
              "rebase --onto a b c",
              "rebase -x make a",
              "rebase --quit",
              "tag v1",
              "tag -m x v1",
              "tag -am x v1",
              "tag -F x v1",
              "tag -u key -m x v1",
              "notes add -m x",
              "notes add -F f",
              "notes append -C x",
              "add .",
              "add -A",
              "add --chmod +x a",
              "checkout -b -p",
              "stash pop",
              "stash -m -p"});
  MapFacts quiet_merge = at_terminal();
  quiet_merge.variables["GIT_MERGE_AUTOEDIT"] = "no";
  expect_all("git", Class::Lane, quiet_merge, {"merge x", "pull"});
}

TEST(GitPolicyTest, SequenceEditorAloneCanStay) {
  MapFacts facts = at_terminal();
  facts.variables = {{"GIT_EDITOR", "true"}, {"GIT_SEQUENCE_EDITOR", "vim"}};
  expect_all("git", Class::Editor, facts, {"rebase -i x"});
  facts.variables["GIT_SEQUENCE_EDITOR"] = ":";
  expect_all("git", Class::Lane, facts, {"rebase -i x"});
}

}  // namespace
}  // namespace onelane::test
