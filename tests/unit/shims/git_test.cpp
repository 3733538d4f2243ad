#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/shims/policy_rows.hpp"

namespace onelane::test {
namespace {

using shims::Class;
using shims::find_shim;

std::string read(std::string_view line) {
  return std::string{decide("git", line).reason};
}

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

TEST(GitPolicyTest, ArgumentsTellReadingFromWriting) {
  expect_all("git", Class::Pass, at_terminal(),
             {"branch",
              "branch -a",
              "branch -r",
              "branch -vv",
              "branch --list x",
              "branch -l x",
              "branch --show-current",
              "branch --contains x",
              "branch --no-contains x",
              "branch --merged",
              "branch --merged main",
              "branch --no-merged main",
              "branch --points-at x",
              "branch --sort=-committerdate",
              "branch --sort -committerdate",
              "branch --format '%(refname)'",
              "tag",
              "tag -l",
              "tag -l 'v*'",
              "tag -n",
              "tag -n3",
              "tag --contains x",
              "tag --merged x",
              "tag --points-at HEAD",
              "tag -v v1",
              "tag --sort=-v:refname",
              "tag --list x",
              "stash list",
              "stash show",
              "stash show -p",
              "remote",
              "remote -v",
              "remote get-url origin",
              "remote show origin",
              "remote -v show -n x",
              "config --get a.b",
              "config --get-all a.b",
              "config --get-regexp x",
              "config -l",
              "config --list --show-origin",
              "config list",
              "config get a.b",
              "config user.name",
              "config --global user.name",
              "config --file x user.name",
              "config --type bool a.b",
              "config --get a.b pattern",
              "config --bool a.b",
              "config --get-color x red",
              "config --get-urlmatch a https://x",
              "worktree list",
              "worktree list --porcelain",
              "notes",
              "notes list",
              "notes show",
              "notes --ref x show",
              "notes get-ref",
              "submodule",
              "submodule status",
              "submodule --quiet status",
              "submodule summary",
              "submodule status --recursive",
              "bisect log",
              "bisect view",
              "bisect terms",
              "sparse-checkout list",
              "symbolic-ref HEAD",
              "symbolic-ref --short HEAD",
              "symbolic-ref -q --short HEAD",
              "rerere status",
              "rerere diff",
              "rerere remaining",
              "lfs ls-files",
              "lfs status",
              "lfs env",
              "lfs track",
              "apply --check x",
              "apply --stat x",
              "apply --numstat x",
              "apply --summary x",
              "hash-object x",
              "hash-object --stdin",
              "hash-object -t blob x",
              "maintenance is-needed",
              "reflog",
              "reflog show",
              "reflog exists x",
              "reflog --all",
              "commit-graph verify",
              "multi-pack-index verify",
              "multi-pack-index --object-dir x verify",
              "replace",
              "replace -l",
              "refs verify",
              "am --show-current-patch",
              "rebase --show-current-patch",
              "svn log",
              "svn fetch",
              "difftool --tool-help",
              "mergetool --tool-help"});
  expect_all("git", Class::Lane, {},
             {"branch x",
              "branch x main",
              "branch -d x",
              "branch -D x",
              "branch -dr o/x",
              "branch -m x",
              "branch -M x",
              "branch -c x",
              "branch -f x y",
              "branch -u origin/x",
              "branch --set-upstream-to=origin/x",
              "branch --set-upstream-to origin/x",
              "branch --unset-upstream",
              "branch --delete x",
              "branch --move x",
              "branch -v x",
              "tag v1",
              "tag v1 HEAD",
              "tag -d v1",
              "tag -f v1",
              "tag -am msg v1",
              "tag -a -m msg v1",
              "tag -F file v1",
              "tag -s -m x v1",
              "stash",
              "stash push",
              "stash -u",
              "stash pop",
              "stash apply",
              "stash drop",
              "stash clear",
              "stash create",
              "stash store x",
              "stash branch x",
              "stash -m list",
              "stash -- list",
              "stash push -m show",
              "remote add x y",
              "remote rename a b",
              "remote remove a",
              "remote rm a",
              "remote set-url a b",
              "remote set-head a -a",
              "remote set-branches a b",
              "config a.b c",
              "config --add a.b c",
              "config --unset a.b",
              "config --unset-all a.b",
              "config --replace-all a.b c",
              "config --remove-section a",
              "config --rename-section a b",
              "config set a.b c",
              "config unset a.b",
              "config --global a.b c",
              "worktree add x",
              "worktree remove x",
              "worktree move a b",
              "worktree prune",
              "worktree lock x",
              "worktree repair",
              "notes add -m x",
              "notes remove x",
              "notes copy a b",
              "notes prune",
              "notes append -m x",
              "notes merge x",
              "submodule add x",
              "submodule update --init",
              "submodule --quiet update",
              "submodule sync",
              "submodule init",
              "submodule deinit x",
              "submodule absorbgitdirs",
              "submodule set-url a b",
              "bisect start",
              "bisect good",
              "bisect bad",
              "bisect reset",
              "bisect skip",
              "sparse-checkout set x",
              "sparse-checkout disable",
              "symbolic-ref HEAD refs/heads/x",
              "symbolic-ref -d x",
              "symbolic-ref -m log HEAD x",
              "rerere",
              "rerere gc",
              "rerere clear",
              "rerere forget x",
              "bundle create x HEAD",
              "bundle unbundle x",
              "lfs pull",
              "lfs track '*.png'",
              "lfs install",
              "lfs checkout",
              "lfs migrate import",
              "apply --stat --apply x",
              "apply --index x",
              "hash-object -w x",
              "hash-object -w --stdin",
              "hash-object -wt blob x",
              "reflog expire --all",
              "reflog delete x",
              "reflog expire -n --all",
              "commit-graph write",
              "multi-pack-index write",
              "multi-pack-index repack",
              "replace a b",
              "replace -d a",
              "replace --graft a",
              "refs migrate",
              "interpret-trailers --in-place x",
              "index-pack x",
              "unpack-objects"});
}

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

TEST(GitPolicyTest, PushWaitsWhenAHookWillRun) {
  MapFacts facts;
  facts.hooks = {"pre-push"};
  expect_all("git", Class::Lane, facts, {"push", "push -n", "push -o ci.skip", "push --verify"});
  expect_all("git", Class::Pass, facts, {"push --no-verify", "push origin x --no-verify"});
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

TEST(GitPolicyTest, EveryCommandOfGitHasARowOfItsOwn) {
  const std::string unknown = read("no-such-command");
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
    EXPECT_NE(read(command), unknown) << command;
    EXPECT_EQ(read(std::string{command} + " -h"), "git: answers about itself") << command;
  }
}

}  // namespace
}  // namespace onelane::test
