#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/shims/policy_rows.hpp"

namespace onelane::test {
namespace {

using shims::Class;

std::string classified(std::string_view line) {
  return std::string{decide("git", line).reason};
}

TEST(GitPolicyTest, EveryCommandOfGitHasARowOfItsOwn) {
  const std::string unknown = classified("no-such-command");
  const Line commands{
      "add am annotate apply archive bisect bisect--helper blame branch bugreport bundle cat-file "
      "check-attr check-ignore check-mailmap check-ref-format checkout checkout--worker "
      "checkout-index cherry cherry-pick clean clone column commit commit-graph commit-tree config "
      "count-objects credential credential-cache credential-cache--daemon credential-store daemon "
      "describe diagnose diff diff-files diff-index diff-tree difftool env--helper fast-export "
      "fast-import fetch fetch-pack filter-branch fmt-merge-msg for-each-ref for-each-repo "
      "format-patch fsck fsck-objects fsmonitor--daemon gc get-tar-commit-id grep hash-object help "
      "hook http-backend http-fetch http-push imap-send index-pack init init-db instaweb "
      "interpret-trailers log ls-files ls-remote ls-tree mailinfo mailsplit maintenance merge "
      "merge-base merge-file merge-index merge-octopus merge-one-file merge-ours merge-recursive "
      "merge-recursive-ours merge-recursive-theirs merge-resolve merge-subtree merge-tree "
      "mergetool "
      "mktag mktree multi-pack-index mv name-rev notes pack-objects pack-redundant pack-refs "
      "patch-id pickaxe prune prune-packed pull push quiltimport range-diff read-tree rebase "
      "receive-pack reflog remote remote-ext remote-fd remote-ftp remote-ftps remote-http "
      "remote-https repack replace request-pull rerere reset restore rev-list rev-parse revert rm "
      "send-email send-pack shell shortlog show show-branch show-index show-ref sparse-checkout "
      "stage stash status stripspace submodule submodule--helper subtree svn switch symbolic-ref "
      "tag unpack-file unpack-objects update-index update-ref update-server-info upload-archive "
      "upload-archive--writer upload-pack var verify-commit verify-pack verify-tag version "
      "whatchanged worktree write-tree p4 citool gui gitk cvsserver cvsimport archimport"};
  for (const std::string_view command : commands.args()) {
    EXPECT_NE(classified(command), unknown) << command;
    EXPECT_EQ(classified(std::string{command} + " -h"), "git: answers about itself") << command;
  }
}

TEST(GitPolicyTest, StatusRefreshesAndWritersSaySo) {
  for (const std::string_view line : {"status", "status -sb", "status --porcelain=v2"}) {
    EXPECT_EQ(decide("git", line).cls, Class::Pass) << line;
    EXPECT_TRUE(decide("git", line).refreshes_index) << line;
  }
  for (const std::string_view line : {"add x",
                                      "rm x",
                                      "mv a b",
                                      "commit -m x",
                                      "commit --dry-run",
                                      "reset",
                                      "restore x",
                                      "switch x",
                                      "checkout x",
                                      "merge x",
                                      "cherry-pick x",
                                      "revert x",
                                      "rebase x",
                                      "am x",
                                      "stash",
                                      "apply --index x",
                                      "apply -3 x",
                                      "update-index x",
                                      "read-tree x",
                                      "pull",
                                      "submodule add x",
                                      "sparse-checkout set x"}) {
    EXPECT_TRUE(decide("git", line).writes_index) << "git " << line;
    EXPECT_FALSE(decide("git", line).refreshes_index) << "git " << line;
  }
  for (const std::string_view line : {"tag x", "branch x", "gc", "config a.b c", "fetch", "diff",
                                      "log", "apply x", "update-ref a b", "stash list"}) {
    EXPECT_FALSE(decide("git", line).writes_index) << "git " << line;
  }
  EXPECT_TRUE(decide("git", "commit", at_terminal()).writes_index);
}

TEST(GitPolicyTest, ReadersPass) {
  expect_all("git", Class::Pass, at_terminal(),
             {"log",
              "log -p",
              "show HEAD",
              "blame x",
              "annotate x",
              "shortlog",
              "rev-parse HEAD",
              "rev-list HEAD",
              "cat-file -p x",
              "cat-file --batch",
              "cat-file --batch-check",
              "ls-files",
              "ls-files -m",
              "ls-tree HEAD",
              "for-each-ref",
              "show-ref",
              "show-branch",
              "name-rev HEAD",
              "describe",
              "describe --dirty",
              "diff",
              "diff --cached",
              "diff --quiet",
              "diff HEAD",
              "diff-tree HEAD",
              "diff-files",
              "diff-index HEAD",
              "merge-base a b",
              "merge-tree a b",
              "range-diff a b c",
              "cherry",
              "grep x",
              "whatchanged",
              "count-objects",
              "var GIT_EDITOR",
              "check-attr --stdin -a",
              "check-ignore --stdin",
              "check-mailmap x",
              "column",
              "stripspace",
              "interpret-trailers",
              "patch-id",
              "mailinfo a b",
              "fmt-merge-msg",
              "verify-commit x",
              "verify-tag x",
              "verify-pack x",
              "fsck",
              "archive HEAD",
              "archive --remote=x HEAD",
              "bundle verify x",
              "bundle list-heads x",
              "format-patch --stdout HEAD~1",
              "bugreport",
              "ls-remote",
              "commit-tree x -m y",
              "credential fill",
              "clean -n",
              "clean -dn",
              "clean --dry-run -d"});
}

TEST(GitPolicyTest, WhatMovesObjectsPasses) {
  expect_all("git", Class::Pass, {},
             {"fetch", "fetch --all --prune", "fetch --recurse-submodules", "clone x", "clone x y",
              "push", "push -u origin main", "send-pack x", "fetch-pack x", "http-fetch x",
              "upload-pack x", "receive-pack x", "remote-https x", "upload-archive x",
              "remote update", "remote prune origin", "remote update --prune"});
}

TEST(GitPolicyTest, WhatChangesTheTreeTakesTheLane) {
  expect_all("git", Class::Lane, {},
             {"add .",
              "add -A",
              "add -n .",
              "stage x",
              "rm x",
              "rm -n x",
              "mv a b",
              "mv -n a b",
              "reset",
              "reset --hard",
              "restore x",
              "switch x",
              "switch -c x",
              "checkout",
              "checkout x",
              "checkout -b x",
              "merge x",
              "cherry-pick x",
              "revert x",
              "rebase x",
              "am x",
              "apply x",
              "stash",
              "clean -fd",
              "update-index --refresh",
              "read-tree -m HEAD",
              "read-tree -n -m HEAD",
              "checkout-index -a",
              "write-tree",
              "update-ref x y",
              "pull",
              "pull --rebase",
              "gc",
              "repack -ad",
              "prune",
              "prune-packed",
              "pack-refs --all",
              "pack-objects x",
              "init",
              "init x",
              "fast-import",
              "filter-branch x",
              "filter-repo x",
              "format-patch HEAD~1",
              "bisect run make",
              "rebase --exec 'make test' main",
              "submodule foreach 'git x'",
              "merge-file a b c",
              "hook run pre-commit",
              "quiltimport",
              "svn rebase",
              "svn dcommit",
              "p4 sync",
              "p4 submit",
              "subtree add x"});
}

TEST(GitPolicyTest, ServersAreServices) {
  expect_all("git", Class::Service, {}, {"daemon --export-all", "instaweb", "gui"});
}

TEST(GitPolicyTest, BackgroundHelpersPass) {
  expect_all("git", Class::Pass, {},
             {"gc --auto", "gc --auto --quiet", "gc --detach", "maintenance run --auto --detach",
              "maintenance run --auto", "fsmonitor--daemon start", "fsmonitor--daemon run",
              "credential-cache--daemon x", "credential-cache get", "credential-store get",
              "maintenance start", "maintenance register", "lfs filter-process"});
  expect_all("git", Class::Lane, {},
             {"gc", "gc --aggressive", "gc --auto --no-detach", "gc --prune=now", "maintenance run",
              "maintenance run --task=gc", "maintenance run --auto --no-detach"});
}

}  // namespace
}  // namespace onelane::test
