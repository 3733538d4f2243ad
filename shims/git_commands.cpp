#include <algorithm>
#include <array>
#include <string_view>

#include "shims/args.hpp"
#include "shims/git.hpp"

namespace onelane::shims::git {
namespace {

constexpr std::string_view kText = "git: only turns text into text";
constexpr std::string_view kMoves = "git: moves objects between repositories, not the work tree";
constexpr std::string_view kServes = "git: plumbing that another program keeps open";
constexpr std::string_view kHelper = "git: helper that git starts for itself";
constexpr std::string_view kTree = "git: changes the work tree and the index";
constexpr std::string_view kIndex = "git: changes the index";
constexpr std::string_view kRefs = "git: changes refs";
constexpr std::string_view kStore = "git: rewrites the object store";
constexpr std::string_view kObjects = "git: writes objects";
constexpr std::string_view kHistory = "git: rewrites history";
constexpr std::string_view kImports = "git: imports history";
constexpr std::string_view kState = "git: changes the repository's own files";
constexpr std::string_view kWindow = "git: opens a window that stays";
constexpr std::string_view kServer = "git: a server that runs until it is stopped";
constexpr std::string_view kMail = "git: sends mail";

constexpr auto kPass = Class::Pass;
constexpr auto kLane = Class::Lane;
constexpr auto kEditor = Class::Editor;
constexpr auto kService = Class::Service;
constexpr auto kLeaves = Index::Leaves;
constexpr auto kWrites = Index::Writes;

// Sorted by name; the class is that of a call without arguments.
constexpr auto kCommands = std::to_array<Command>({
    {"add", kLane, kIndex, kWrites, refine_add},
    {"add--interactive", kEditor, "git: asks which changes to take", kWrites},
    {"am", kLane, kTree, kWrites, refine_am},
    {"annotate", kPass, kReads},
    {"apply", kLane, "git: patches the work tree", kLeaves, refine_apply},
    {"archimport", kLane, kImports, kWrites},
    {"archive", kPass, kReads},
    {"backfill", kPass, kMoves},
    {"bisect", kLane, kTree, kWrites, refine_bisect},
    {"bisect--helper", kLane, kTree, kWrites},
    {"blame", kPass, kReads},
    {"branch", kLane, kRefs, kLeaves, refine_branch},
    {"bugreport", kPass, "git: writes a report about git itself"},
    {"bundle", kPass, kReads, kLeaves, refine_bundle},
    {"cat-file", kPass, kServes},
    {"check-attr", kPass, kServes},
    {"check-ignore", kPass, kServes},
    {"check-mailmap", kPass, kServes},
    {"check-ref-format", kPass, kText},
    {"checkout", kLane, kTree, kWrites, refine_patch},
    {"checkout--worker", kPass, kHelper},
    {"checkout-index", kLane, "git: writes files from the index", kWrites},
    {"cherry", kPass, kReads},
    {"cherry-pick", kLane, kTree, kWrites, refine_pick},
    {"citool", kEditor, kWindow, kWrites},
    {"clean", kLane, "git: removes files from the work tree", kLeaves, refine_clean},
    {"clone", kPass, "git: makes a new repository of its own"},
    {"column", kPass, kText},
    {"commit", kLane, "git: writes a commit", kWrites, refine_commit},
    {"commit-graph", kLane, kStore, kLeaves, refine_commit_graph},
    {"commit-tree", kPass, "git: writes one object that nothing refers to yet"},
    {"config", kLane, kState, kLeaves, refine_config},
    {"count-objects", kPass, kReads},
    {"credential", kPass, kHelper},
    {"credential-cache", kPass, kHelper},
    {"credential-cache--daemon", kPass, kHelper},
    {"credential-store", kPass, kHelper},
    {"cvsexportcommit", kLane, "git: exports a commit to CVS"},
    {"cvsimport", kLane, kImports, kWrites},
    {"cvsserver", kPass, kServes},
    {"daemon", kService, kServer},
    {"describe", kPass, kReads},
    {"diagnose", kPass, "git: writes a report about git itself"},
    {"diff", kPass, kReads},
    {"diff-files", kPass, kReads},
    {"diff-index", kPass, kReads},
    {"diff-pairs", kPass, kReads},
    {"diff-tree", kPass, kReads},
    {"difftool", kEditor, "git: opens a diff viewer", kLeaves, refine_difftool},
    {"env--helper", kPass, kHelper},
    {"fast-export", kPass, kReads},
    {"fast-import", kLane, kImports},
    {"fetch", kPass, kMoves},
    {"fetch-pack", kPass, kMoves},
    {"filter-branch", kLane, kHistory, kWrites},
    {"filter-repo", kLane, kHistory, kWrites},
    {"fmt-merge-msg", kPass, kText},
    {"for-each-ref", kPass, kReads},
    {"for-each-repo", kPass, "git: runs a git command in each listed repository"},
    {"format-patch", kLane, "git: writes patch files", kLeaves, refine_format_patch},
    {"fsck", kPass, kReads},
    {"fsck-objects", kPass, kReads},
    {"fsmonitor--daemon", kPass, "git: file system monitor, lives in the background"},
    {"gc", kLane, kStore, kLeaves, refine_gc},
    {"get-tar-commit-id", kPass, kText},
    {"gitk", kPass, "git: opens a viewer"},
    {"gitweb", kPass, "git: answers a web request"},
    {"grep", kPass, kReads},
    {"gui", kService, kWindow},
    {"hash-object", kPass, kReads, kLeaves, refine_hash_object},
    {"help", kPass, "git: answers about itself"},
    {"history", kLane, kHistory, kWrites},
    {"hook", kLane, "git: runs a hook"},
    {"http-backend", kPass, kServes},
    {"http-fetch", kPass, kMoves},
    {"http-push", kPass, kMoves},
    {"imap-send", kPass, kMail},
    {"index-pack", kLane, kObjects},
    {"init", kLane, "git: makes a repository"},
    {"init-db", kLane, "git: makes a repository"},
    {"instaweb", kService, kServer},
    {"interpret-trailers", kPass, kText, kLeaves, refine_interpret_trailers},
    {"last-modified", kPass, kReads},
    {"lfs", kLane, "git lfs: changes files or settings", kLeaves, refine_lfs},
    {"log", kPass, kReads},
    {"lost-found", kPass, kReads},
    {"ls-files", kPass, kReads},
    {"ls-remote", kPass, kReads},
    {"ls-tree", kPass, kReads},
    {"mailinfo", kPass, kText},
    {"mailsplit", kPass, kText},
    {"maintenance", kLane, kStore, kLeaves, refine_maintenance},
    {"merge", kLane, kTree, kWrites, refine_merge},
    {"merge-base", kPass, kReads},
    {"merge-file", kLane, "git: writes a merged file"},
    {"merge-index", kLane, kIndex, kWrites},
    {"merge-octopus", kLane, kTree, kWrites},
    {"merge-one-file", kLane, kTree, kWrites},
    {"merge-ours", kLane, kTree, kWrites},
    {"merge-recursive", kLane, kTree, kWrites},
    {"merge-recursive-ours", kLane, kTree, kWrites},
    {"merge-recursive-theirs", kLane, kTree, kWrites},
    {"merge-resolve", kLane, kTree, kWrites},
    {"merge-subtree", kLane, kTree, kWrites},
    {"merge-tree", kPass, kReads},
    {"mergetool", kEditor, "git: opens a merge tool", kWrites, refine_mergetool},
    {"mktag", kPass, "git: writes one object that nothing refers to yet"},
    {"mktree", kPass, "git: writes one object that nothing refers to yet"},
    {"multi-pack-index", kLane, kStore, kLeaves, refine_commit_graph},
    {"mv", kLane, kTree, kWrites},
    {"name-rev", kPass, kReads},
    {"notes", kLane, kRefs, kLeaves, refine_notes},
    {"p4", kLane, "git: takes changes from or to Perforce", kWrites, refine_p4},
    {"pack-objects", kLane, kStore},
    {"pack-redundant", kPass, kReads},
    {"pack-refs", kLane, kRefs},
    {"patch-id", kPass, kText},
    {"peek-remote", kPass, kReads},
    {"pickaxe", kPass, kReads},
    {"prune", kLane, kStore},
    {"prune-packed", kLane, kStore},
    {"pull", kLane, "git: fetches, then changes the work tree", kWrites, refine_pull},
    {"push", kPass, kMoves, kLeaves, refine_push},
    {"quiltimport", kLane, kImports, kWrites},
    {"range-diff", kPass, kReads},
    {"read-tree", kLane, kIndex, kWrites},
    {"rebase", kLane, kHistory, kWrites, refine_rebase},
    {"receive-pack", kPass, kServes},
    {"reflog", kPass, kReads, kLeaves, refine_reflog},
    {"refs", kLane, kRefs, kLeaves, refine_refs},
    {"remote", kPass, kReads, kLeaves, refine_remote},
    {"remote-ext", kPass, kHelper},
    {"remote-fd", kPass, kHelper},
    {"remote-ftp", kPass, kHelper},
    {"remote-ftps", kPass, kHelper},
    {"remote-http", kPass, kHelper},
    {"remote-https", kPass, kHelper},
    {"repack", kLane, kStore},
    {"replace", kLane, kRefs, kLeaves, refine_replace},
    {"replay", kLane, kRefs},
    {"repo", kPass, kReads},
    {"repo-config", kLane, kState, kLeaves, refine_config},
    {"request-pull", kPass, kReads},
    {"rerere", kLane, kState, kLeaves, refine_rerere},
    {"reset", kLane, kTree, kWrites, refine_patch},
    {"restore", kLane, kTree, kWrites, refine_patch},
    {"rev-list", kPass, kReads},
    {"rev-parse", kPass, kReads},
    {"revert", kLane, kTree, kWrites, refine_revert},
    {"rm", kLane, kTree, kWrites},
    {"send-email", kPass, kMail, kLeaves, refine_send_email},
    {"send-pack", kPass, kMoves},
    {"sh-i18n--envsubst", kPass, kText},
    {"shell", kPass, kServes},
    {"shortlog", kPass, kReads},
    {"show", kPass, kReads},
    {"show-branch", kPass, kReads},
    {"show-index", kPass, kReads},
    {"show-ref", kPass, kReads},
    {"sparse-checkout", kLane, kTree, kWrites, refine_sparse_checkout},
    {"stage", kLane, kIndex, kWrites, refine_add},
    {"stash", kLane, kTree, kWrites, refine_stash},
    {"status", kPass, "git: reads; leaves the index alone while another call holds the lane",
     Index::Refreshes},
    {"stripspace", kPass, kText},
    {"submodule", kPass, kReads, kLeaves, refine_submodule},
    {"submodule--helper", kLane, kTree, kWrites},
    {"subtree", kLane, kTree, kWrites},
    {"svn", kLane, "git: takes changes from or to Subversion", kWrites, refine_svn},
    {"switch", kLane, kTree, kWrites},
    {"symbolic-ref", kLane, kRefs, kLeaves, refine_symbolic_ref},
    {"tag", kLane, kRefs, kLeaves, refine_tag},
    {"tar-tree", kPass, kReads},
    {"unpack-file", kPass, "git: writes one temporary file"},
    {"unpack-objects", kLane, kObjects},
    {"update-index", kLane, kIndex, kWrites},
    {"update-ref", kLane, kRefs},
    {"update-server-info", kLane, kState},
    {"upload-archive", kPass, kServes},
    {"upload-archive--writer", kPass, kServes},
    {"upload-pack", kPass, kServes},
    {"url-parse", kPass, kText},
    {"var", kPass, kReads},
    {"verify-commit", kPass, kReads},
    {"verify-pack", kPass, kReads},
    {"verify-tag", kPass, kReads},
    {"version", kPass, "git: answers about itself"},
    {"web--browse", kPass, "git: opens a browser"},
    {"whatchanged", kPass, kReads},
    {"worktree", kLane, "git: changes the linked work trees", kLeaves, refine_worktree},
    {"write-tree", kLane, kObjects},
});
static_assert(std::ranges::is_sorted(kCommands, {}, &Command::name));

/// True for options that make any command read its work from standard input.
bool names_input(std::string_view word) {
  return one_of(word, {"--stdin", "--stdin-paths", "--stdin-packs", "--stdin-commits",
                       "--index-info", "--file=-", "--pathspec-from-file=-"}) ||
         (word.starts_with('-') && !word.starts_with("--") && word.ends_with("F-"));
}

/// True for options that read the file named after them, where `-` is standard input.
bool names_file(std::string_view word) {
  return one_of(word, {"--file", "--pathspec-from-file"}) ||
         (word.starts_with('-') && !word.starts_with("--") && word.ends_with('F'));
}

bool names_input(Args args) {
  for (std::size_t i = 0; i < args.size() && args[i] != "--"; ++i) {
    const bool takes_dash = i + 1 < args.size() && args[i + 1] == "-" && names_file(args[i]);
    if (names_input(args[i]) || takes_dash) {
      return true;
    }
  }
  return false;
}

/// `git apply` and `git am` read standard input when no file is named.
bool names_no_file(const Options& options) {
  return options.operands().empty() || options.operand(0) == "-";
}

bool reads_patch(Args args) {
  static constexpr auto kLongs = std::to_array<std::string_view>(
      {"build-fake-ancestor=", "directory=", "exclude=", "include=", "whitespace="});
  return names_no_file(Options{args, {.shorts = "p:C:", .longs = kLongs}});
}

bool reads_mailbox(Args args) {
  static constexpr auto kLongs = std::to_array<std::string_view>(
      {"abort", "allow-empty", "continue",
       "directory=", "empty=", "exclude=", "include=", "patch-format=", "quit",
       "quoted-cr=", "resolved", "resolvemsg=", "retry", "skip", "whitespace="});
  const Options options{args, {.shorts = "C:p:S?", .longs = kLongs}};
  return names_no_file(options) && !options.has_any("r", {"abort", "allow-empty", "continue",
                                                          "quit", "resolved", "retry", "skip"});
}

}  // namespace

const Command* find_command(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kCommands, name, {}, &Command::name);
  return found != kCommands.end() && found->name == name ? &*found : nullptr;
}

bool reads_input(std::string_view command, Args args) {
  if (one_of(command, {"fast-import", "pack-objects", "unpack-objects"})) {
    return true;
  }
  return names_input(args) || (command == "apply" && reads_patch(args)) ||
         (command == "am" && reads_mailbox(args));
}

}  // namespace onelane::shims::git
