#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "shims/args.hpp"
#include "shims/git.hpp"

namespace onelane::shims::git {
namespace {

using Longs = std::string_view;

/// The first argument that is not an option.
std::string_view verb_of(Args args) {
  const Options options{args, {.abbreviations = false, .stops_at_operand = true}};
  return options.operand(0);
}

Decision reads_when(bool reads, const Decision& row) {
  return reads ? pass(kReads) : row;
}

constexpr auto kPatchLongs = std::to_array<Longs>({"conflict=", "orphan=", "patch",
                                                   "pathspec-from-file=", "pathspec-file-nul",
                                                   "source=", "unified=", "inter-hunk-context="});

bool does_nothing(const std::optional<std::string>& command) {
  return command && one_of(*command, {"true", ":", "/bin/true", "/usr/bin/true"});
}

// GIT_EDITOR overrides every other way to name an editor, so it alone can rule one out.
bool editor_may_stay(const Facts& facts) {
  return facts.stdin_is_terminal() && !does_nothing(facts.environment("GIT_EDITOR"));
}

Decision as_editor(Decision decision, bool stays, std::string_view reason) {
  if (stays) {
    decision.cls = Class::Editor;
    decision.reason = reason;
  } else if (decision.cls == Class::Editor) {
    decision.cls = Class::Lane;
  }
  return decision;
}

constexpr std::string_view kMessage = "git: opens an editor for the message";
constexpr std::string_view kMayOpen = "git: may open an editor for the message";

constexpr auto kCommitLongs = std::to_array<Longs>({"ahead-behind",
                                                    "all",
                                                    "allow-empty",
                                                    "allow-empty-message",
                                                    "amend",
                                                    "author=",
                                                    "branch",
                                                    "cleanup=",
                                                    "date=",
                                                    "dry-run",
                                                    "edit",
                                                    "file=",
                                                    "fixup=",
                                                    "gpg-sign",
                                                    "include",
                                                    "interactive",
                                                    "long",
                                                    "message=",
                                                    "null",
                                                    "only",
                                                    "patch",
                                                    "pathspec-from-file=",
                                                    "pathspec-file-nul",
                                                    "porcelain",
                                                    "post-rewrite",
                                                    "quiet",
                                                    "reedit-message=",
                                                    "reset-author",
                                                    "reuse-message=",
                                                    "short",
                                                    "signoff",
                                                    "squash=",
                                                    "status",
                                                    "template=",
                                                    "trailer=",
                                                    "untracked-files",
                                                    "verbose",
                                                    "verify"});

constexpr auto kMergeLongs = std::to_array<Longs>(
    {"abort", "allow-unrelated-histories", "autostash", "cleanup=", "commit", "continue", "edit",
     "ff", "ff-only", "file=", "gpg-sign", "into-name=", "log", "message=", "quit", "squash",
     "stat", "strategy=", "strategy-option="});

constexpr auto kPickLongs = std::to_array<Longs>(
    {"abort", "cleanup=", "commit", "continue", "edit", "empty=", "ff", "gpg-sign",
     "mainline=", "quit", "reference", "skip", "strategy=", "strategy-option="});

constexpr auto kPullLongs = std::to_array<Longs>({"all",
                                                  "cleanup=",
                                                  "commit",
                                                  "deepen=",
                                                  "depth=",
                                                  "dry-run",
                                                  "edit",
                                                  "ff",
                                                  "ff-only",
                                                  "filter=",
                                                  "gpg-sign",
                                                  "jobs=",
                                                  "negotiation-tip=",
                                                  "rebase",
                                                  "recurse-submodules",
                                                  "refmap=",
                                                  "server-option=",
                                                  "shallow-exclude=",
                                                  "shallow-since=",
                                                  "squash",
                                                  "strategy=",
                                                  "strategy-option=",
                                                  "upload-pack="});

constexpr auto kRebaseLongs = std::to_array<Longs>({"abort",
                                                    "apply",
                                                    "autosquash",
                                                    "continue",
                                                    "edit-todo",
                                                    "empty=",
                                                    "exec=",
                                                    "gpg-sign",
                                                    "interactive",
                                                    "merge",
                                                    "onto=",
                                                    "quit",
                                                    "rebase-merges",
                                                    "root",
                                                    "show-current-patch",
                                                    "skip",
                                                    "stat",
                                                    "strategy=",
                                                    "strategy-option=",
                                                    "whitespace="});

constexpr auto kTagLongs = std::to_array<Longs>(
    {"annotate",   "cleanup=",    "color",  "column",   "contains=",    "create-reflog",
     "delete",     "edit",        "file=",  "force",    "format=",      "ignore-case",
     "list",       "local-user=", "merged", "message=", "no-contains=", "no-merged",
     "points-at=", "sign",        "sort=",  "trailer=", "verify"});

constexpr auto kNotesLongs =
    std::to_array<Longs>({"allow-empty", "edit", "file=", "force", "message=", "reedit-message=",
                          "ref=", "reuse-message=", "separator", "stripspace", "strategy="});

}  // namespace

Decision refine_apply(Args args, const Facts& /*facts*/, const Decision& row) {
  static constexpr auto kLongs =
      std::to_array<Longs>({"3way", "apply", "build-fake-ancestor=", "cached", "check",
                            "directory=", "exclude=", "include=", "index", "intent-to-add",
                            "numstat", "stat", "summary", "whitespace="});
  const Options options{args, {.shorts = "p:C:", .longs = kLongs}};
  if (options.has_any("", {"check", "numstat", "stat", "summary"}) && !options.has("apply")) {
    return pass(kReads);
  }
  Decision decision = row;
  decision.writes_index = options.has_any("3N", {"3way", "cached", "index", "intent-to-add"});
  return decision;
}

Decision refine_bisect(Args args, const Facts& /*facts*/, const Decision& row) {
  const std::string_view verb = args.empty() ? std::string_view{} : args.front();
  if (verb == "run") {
    return lane("git: runs a command at each step of a bisection", Index::Writes);
  }
  return reads_when(one_of(verb, {"", "help", "log", "terms", "view", "visualize"}), row);
}

Decision refine_branch(Args args, const Facts& facts, const Decision& row) {
  static constexpr auto kLongs = std::to_array<Longs>({"abbrev",
                                                       "all",
                                                       "color",
                                                       "column",
                                                       "contains=",
                                                       "copy",
                                                       "create-reflog",
                                                       "delete",
                                                       "edit-description",
                                                       "force",
                                                       "format=",
                                                       "ignore-case",
                                                       "list",
                                                       "merged",
                                                       "move",
                                                       "no-contains=",
                                                       "no-merged",
                                                       "points-at=",
                                                       "quiet",
                                                       "recurse-submodules",
                                                       "remotes",
                                                       "set-upstream-to=",
                                                       "show-current",
                                                       "sort=",
                                                       "track",
                                                       "unset-upstream",
                                                       "verbose"});
  const Options options{args, {.shorts = "u:t?", .longs = kLongs}};
  if (options.has("edit-description")) {
    return editor(row, facts, "git: opens an editor on the branch's description");
  }
  if (options.has_any("dDmMcCuf",
                      {"copy", "delete", "force", "move", "set-upstream-to", "unset-upstream"})) {
    return row;
  }
  return reads_when(options.operands().empty() ||
                        options.has_any("l", {"contains", "list", "merged", "no-contains",
                                              "no-merged", "points-at", "show-current"}),
                    row);
}

Decision refine_bundle(Args args, const Facts& /*facts*/, const Decision& /*row*/) {
  return reads_when(one_of(verb_of(args), {"", "list-heads", "verify"}),
                    lane("git: writes a bundle or objects"));
}

Decision refine_commit_graph(Args args, const Facts& /*facts*/, const Decision& row) {
  static constexpr auto kLongs = std::to_array<Longs>({"object-dir="});
  const Options options{args, {.longs = kLongs, .stops_at_operand = true}};
  return reads_when(one_of(options.operand(0), {"", "verify"}), row);
}

Decision refine_config(Args args, const Facts& facts, const Decision& row) {
  static constexpr auto kLongs = std::to_array<Longs>(
      {"add",           "all",        "blob=",        "comment=",       "default=",
       "edit",          "file=",      "get",          "get-all",        "get-color",
       "get-colorbool", "get-regexp", "get-urlmatch", "global",         "includes",
       "list",          "local",      "name-only",    "remove-section", "rename-section",
       "replace-all",   "system",     "type=",        "unset",          "unset-all",
       "url=",          "value=",     "worktree"});
  const Options options{args, {.shorts = "f:t:", .longs = kLongs}};
  const std::string_view verb = options.operand(0);
  if (options.has('e', "edit") || (verb == "edit" && options.operands().size() == 1)) {
    return editor(row, facts, "git: opens an editor on the settings");
  }
  if (options.has_any(
          "", {"add", "remove-section", "rename-section", "replace-all", "unset", "unset-all"})) {
    return row;
  }
  return reads_when(options.operands().size() < 2 || one_of(verb, {"get", "list"}) ||
                        options.has_any("l", {"get", "get-all", "get-color", "get-colorbool",
                                              "get-regexp", "get-urlmatch", "list"}),
                    row);
}

Decision refine_format_patch(Args args, const Facts& /*facts*/, const Decision& row) {
  static constexpr auto kLongs = std::to_array<Longs>({"output-directory=", "stdout"});
  const Options options{args, {.shorts = "o:v:", .longs = kLongs, .abbreviations = false}};
  return reads_when(options.has("stdout"), row);
}

Decision refine_gc(Args args, const Facts& /*facts*/, const Decision& row) {
  static constexpr auto kLongs =
      std::to_array<Longs>({"aggressive", "auto", "cruft", "detach", "expire-to=", "force",
                            "keep-largest-pack", "max-cruft-size=", "prune", "quiet"});
  const Options options{args, {.longs = kLongs}};
  const bool background =
      options.has("detach") || (options.has("auto") && !options.negated("detach"));
  return background ? pass("git: cleans up in the background, on its own") : row;
}

Decision refine_hash_object(Args args, const Facts& /*facts*/, const Decision& row) {
  static constexpr auto kLongs = std::to_array<Longs>({"path="});
  const Options options{args, {.shorts = "t:", .longs = kLongs}};
  return options.has('w') ? lane("git: writes objects") : row;
}

Decision refine_interpret_trailers(Args args, const Facts& /*facts*/, const Decision& row) {
  static constexpr auto kLongs =
      std::to_array<Longs>({"if-exists=", "if-missing=", "in-place", "trailer=", "where="});
  const Options options{args, {.longs = kLongs}};
  return options.has("in-place") ? lane("git: edits a file in place") : row;
}

Decision refine_lfs(Args args, const Facts& /*facts*/, const Decision& row) {
  const std::string_view verb = verb_of(args);
  if (one_of(verb, {"clean", "fetch", "filter-process", "lock", "locks", "pre-push", "push",
                    "smudge", "standalone-file", "unlock"})) {
    return pass("git lfs: moves files between repositories, or filters for git");
  }
  const bool lists_patterns = verb == "track" && args.size() == 1;
  return reads_when(lists_patterns || one_of(verb, {"", "env", "ext", "logs", "ls-files", "pointer",
                                                    "status", "version"}),
                    row);
}

Decision refine_maintenance(Args args, const Facts& facts, const Decision& row) {
  const std::string_view verb = verb_of(args);
  if (one_of(verb, {"", "is-needed"})) {
    return pass(kReads);
  }
  if (one_of(verb, {"register", "start", "stop", "unregister"})) {
    return pass("git: sets up background maintenance");
  }
  return verb == "run" ? refine_gc(args, facts, row) : row;
}

Decision refine_push(Args args, const Facts& facts, const Decision& row) {
  static constexpr auto kLongs = std::to_array<Longs>(
      {"exec=", "push-option=", "receive-pack=", "recurse-submodules=", "repo=", "verify"});
  const Options options{args, {.shorts = "o:", .longs = kLongs, .abbreviations = false}};
  if (!options.negated("verify") && facts.git_hook("pre-push")) {
    return lane("git: a pre-push hook runs; the wait comes before the connection");
  }
  return row;
}

Decision refine_reflog(Args args, const Facts& /*facts*/, const Decision& row) {
  const std::string_view verb = args.empty() ? std::string_view{} : args.front();
  return one_of(verb, {"delete", "drop", "expire", "write"}) ? lane("git: changes the reflog")
                                                             : row;
}

Decision refine_refs(Args args, const Facts& /*facts*/, const Decision& row) {
  return reads_when(one_of(verb_of(args), {"", "exists", "list", "verify"}), row);
}

Decision refine_remote(Args args, const Facts& /*facts*/, const Decision& row) {
  const std::string_view verb = verb_of(args);
  if (one_of(verb, {"prune", "update"})) {
    return pass("git: asks a remote; leaves the work tree alone");
  }
  return one_of(verb, {"", "get-url", "show"}) ? row : lane("git: changes the list of remotes");
}

Decision refine_replace(Args args, const Facts& facts, const Decision& row) {
  static constexpr auto kLongs = std::to_array<Longs>(
      {"convert-graft-file", "delete", "edit", "force", "format=", "graft", "list", "raw"});
  const Options options{args, {.longs = kLongs}};
  if (options.has('e', "edit")) {
    return editor(row, facts, "git: opens an editor on an object");
  }
  const bool writes = options.has_any("dg", {"convert-graft-file", "delete", "graft"});
  return reads_when(!writes && (options.has('l', "list") || options.operands().size() < 2), row);
}

Decision refine_rerere(Args args, const Facts& /*facts*/, const Decision& row) {
  return reads_when(one_of(verb_of(args), {"diff", "remaining", "status"}), row);
}

Decision refine_p4(Args args, const Facts& /*facts*/, const Decision& row) {
  const std::string_view verb = verb_of(args);
  if (verb == "clone") {
    return pass("git: makes a new repository of its own");
  }
  return reads_when(one_of(verb, {"", "branches"}), row);
}

Decision refine_svn(Args args, const Facts& /*facts*/, const Decision& row) {
  const std::string_view verb = verb_of(args);
  if (one_of(verb, {"clone", "fetch", "multi-fetch"})) {
    return pass("git: fetches from Subversion; leaves the work tree alone");
  }
  return reads_when(one_of(verb, {"", "blame", "find-rev", "help", "info", "log", "propget",
                                  "proplist", "show-externals", "show-ignore"}),
                    row);
}

Decision refine_sparse_checkout(Args args, const Facts& /*facts*/, const Decision& row) {
  return reads_when(one_of(verb_of(args), {"", "check-rules", "list"}), row);
}

Decision refine_submodule(Args args, const Facts& /*facts*/, const Decision& row) {
  const std::string_view verb = verb_of(args);
  if (verb == "foreach") {
    return lane("git: runs a command in each submodule");
  }
  if (one_of(verb, {"", "status", "summary"})) {
    return row;
  }
  return lane("git: changes submodules", verb == "add" ? Index::Writes : Index::Leaves);
}

Decision refine_symbolic_ref(Args args, const Facts& /*facts*/, const Decision& row) {
  static constexpr auto kLongs = std::to_array<Longs>({"delete", "quiet", "recurse", "short"});
  const Options options{args, {.shorts = "m:", .longs = kLongs}};
  return reads_when(options.operands().size() < 2 && !options.has('d', "delete"), row);
}

Decision refine_worktree(Args args, const Facts& /*facts*/, const Decision& row) {
  return reads_when(one_of(verb_of(args), {"", "list"}), row);
}

Decision refine_add(Args args, const Facts& facts, const Decision& row) {
  static constexpr auto kLongs = std::to_array<Longs>(
      {"all", "chmod=", "dry-run", "edit", "ignore-errors", "ignore-missing", "ignore-removal",
       "intent-to-add", "interactive", "patch", "pathspec-from-file=", "pathspec-file-nul",
       "unified=", "inter-hunk-context="});
  const Options options{args, {.shorts = "U:", .longs = kLongs}};
  if (options.has_any("ip", {"interactive", "patch"})) {
    return prompt(row, facts, kAsks);
  }
  return options.has('e', "edit") ? editor(row, facts, "git: opens an editor on the patch") : row;
}

Decision refine_am(Args args, const Facts& facts, const Decision& row) {
  static constexpr auto kLongs = std::to_array<Longs>(
      {"abort", "continue", "directory=", "empty=", "exclude=", "include=", "interactive",
       "patch-format=", "quoted-cr=", "resolvemsg=", "show-current-patch", "whitespace="});
  const Options options{args, {.shorts = "C:p:S?", .longs = kLongs}};
  if (options.has("show-current-patch")) {
    return pass(kCurrentPatch);
  }
  return options.has('i', "interactive") ? prompt(row, facts, "git: asks before each patch") : row;
}

Decision refine_clean(Args args, const Facts& facts, const Decision& row) {
  static constexpr auto kLongs = std::to_array<Longs>({"dry-run", "exclude=", "interactive"});
  const Options options{args, {.shorts = "e:", .longs = kLongs}};
  if (options.has('i', "interactive")) {
    return prompt(row, facts, "git: asks which files to remove");
  }
  return options.has('n', "dry-run") ? pass("git: only says what it would remove") : row;
}

Decision refine_difftool(Args args, const Facts& facts, const Decision& row) {
  return args.size() == 1 && args.front() == "--tool-help"
             ? pass("git: answers about itself")
             : prompt(row, facts, "git: opens a diff viewer");
}

Decision refine_mergetool(Args args, const Facts& facts, const Decision& row) {
  return args.size() == 1 && args.front() == "--tool-help"
             ? pass("git: answers about itself")
             : prompt(row, facts, "git: opens a merge tool");
}

Decision refine_patch(Args args, const Facts& facts, const Decision& row) {
  const Options options{args, {.shorts = "b:B:s:U:", .longs = kPatchLongs}};
  return options.has('p', "patch") ? prompt(row, facts, kAsks) : row;
}

Decision refine_stash(Args args, const Facts& facts, const Decision& row) {
  static constexpr auto kLongs =
      std::to_array<Longs>({"message=", "patch", "pathspec-from-file=", "pathspec-file-nul"});
  const Options options{args, {.shorts = "m:U:", .longs = kLongs}};
  // `git stash -q list` stashes a file called list: a verb must come first.
  const std::string_view verb = args.empty() ? std::string_view{} : args.front();
  if (one_of(verb, {"list", "show"})) {
    return pass("git: only reads");
  }
  const bool pushes = verb.empty() || verb.starts_with('-') || one_of(verb, {"push", "save"});
  return pushes && options.has('p', "patch") ? prompt(row, facts, kAsks) : row;
}

Decision editor(const Decision& row, const Facts& facts, std::string_view reason) {
  return as_editor(row, editor_may_stay(facts), reason);
}

Decision prompt(const Decision& row, const Facts& facts, std::string_view reason) {
  return as_editor(row, facts.stdin_is_terminal(), reason);
}

Decision refine_commit(Args args, const Facts& facts, const Decision& row) {
  const Options options{args, {.shorts = "m:F:C:c:t:S?u?U:", .longs = kCommitLongs}};
  if (options.has_any("", {"dry-run", "short", "porcelain"})) {
    return lane("git: a dry run of commit refreshes the index", Index::Writes);
  }
  if (options.has_any("p", {"patch", "interactive"})) {
    return prompt(row, facts, kAsks);
  }
  if (options.has('e', "edit")) {
    return editor(row, facts, kMessage);
  }
  if (options.negated("edit") || options.has_any("mFC", {"message", "file", "reuse-message"})) {
    return row;
  }
  const auto fixup = options.value("fixup");
  const bool fixup_edits = fixup && (fixup->starts_with("amend:") || fixup->starts_with("reword:"));
  return fixup && !fixup_edits ? row : editor(row, facts, kMessage);
}

Decision refine_merge(Args args, const Facts& facts, const Decision& row) {
  const Options options{args, {.shorts = "s:X:m:F:S?", .longs = kMergeLongs}};
  if (options.has_any("", {"abort", "quit"})) {
    return row;
  }
  if (options.has('e', "edit")) {
    return editor(row, facts, kMessage);
  }
  const bool no_message = options.negated("edit") || options.negated("commit") ||
                          options.has_any("mF", {"message", "file", "squash", "ff-only"}) ||
                          facts.environment("GIT_MERGE_AUTOEDIT") == "no";
  return no_message ? row : editor(row, facts, kMayOpen);
}

Decision refine_notes(Args args, const Facts& facts, const Decision& row) {
  const Options options{args, {.shorts = "m:F:c:C:s:", .longs = kNotesLongs}};
  const std::string_view verb = options.operand(0);
  if (one_of(verb, {"", "list", "show", "get-ref"})) {
    return pass("git: only reads");
  }
  if (!one_of(verb, {"add", "append", "edit"})) {
    return row;
  }
  const bool edits = options.has_any("ce", {"reedit-message", "edit"}) ||
                     !options.has_any("mFC", {"message", "file", "reuse-message"});
  return edits ? editor(row, facts, "git: opens an editor for the note") : row;
}

Decision refine_pick(Args args, const Facts& facts, const Decision& row) {
  const Options options{args, {.shorts = "m:X:S?", .longs = kPickLongs}};
  const bool edits = options.has_any("e", {"edit", "continue"});
  return edits && !options.negated("edit") ? editor(row, facts, kMessage) : row;
}

Decision refine_revert(Args args, const Facts& facts, const Decision& row) {
  const Options options{args, {.shorts = "m:X:S?", .longs = kPickLongs}};
  const bool no_message = options.negated("edit") || options.negated("commit") ||
                          options.has_any("n", {"abort", "quit", "skip"});
  return no_message && !options.has('e', "edit") ? row : editor(row, facts, kMessage);
}

Decision refine_pull(Args args, const Facts& facts, const Decision& row) {
  const Options options{args, {.shorts = "s:X:S?r?j:o:", .longs = kPullLongs}};
  const auto how = options.has('r') ? options.value('r') : options.value("rebase");
  if (how && one_of(*how, {"interactive", "i"})) {
    return editor(row, facts, "git: opens an editor on the list of commits");
  }
  if (options.has("edit")) {
    return editor(row, facts, kMessage);
  }
  const bool rebases = how && *how != "false";
  const bool no_message = rebases || options.negated("edit") || options.negated("commit") ||
                          options.has_any("", {"squash", "ff-only"}) ||
                          facts.environment("GIT_MERGE_AUTOEDIT") == "no";
  return no_message ? row : editor(row, facts, kMayOpen);
}

Decision refine_rebase(Args args, const Facts& facts, const Decision& row) {
  const Options options{args, {.shorts = "s:X:x:C:S?r?", .longs = kRebaseLongs}};
  if (options.has("show-current-patch")) {
    return pass(kCurrentPatch);
  }
  if (options.has_any("i", {"interactive", "edit-todo"})) {
    const auto sequence = facts.environment("GIT_SEQUENCE_EDITOR");
    const bool list_opens = sequence && !does_nothing(sequence) && facts.stdin_is_terminal();
    return as_editor(row, list_opens || editor_may_stay(facts),
                     "git: opens an editor on the list of commits");
  }
  return options.has_any("", {"continue", "skip"}) ? editor(row, facts, kMayOpen) : row;
}

Decision refine_send_email(Args args, const Facts& facts, const Decision& row) {
  static constexpr auto kLongs = std::to_array<Longs>({"annotate", "compose"});
  const Options options{args, {.longs = kLongs}};
  return options.has_any("", {"annotate", "compose"})
             ? editor(row, facts, "git: opens an editor on the mail")
             : row;
}

Decision refine_tag(Args args, const Facts& facts, const Decision& row) {
  const Options options{args, {.shorts = "m:F:u:n?", .longs = kTagLongs}};
  if (options.has('d', "delete")) {
    return row;
  }
  const bool annotates =
      options.has_any("asumFe", {"annotate", "sign", "local-user", "message", "file", "edit"});
  const bool lists = options.has_any("lnv", {"list", "verify", "contains", "no-contains", "merged",
                                             "no-merged", "points-at"}) ||
                     (options.operands().empty() && !annotates);
  if (lists) {
    return pass("git: only reads");
  }
  const bool edits =
      options.has('e', "edit") || (annotates && !options.has_any("mF", {"message", "file"}));
  return edits ? editor(row, facts, "git: opens an editor for the tag's message") : row;
}

}  // namespace onelane::shims::git
