#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "shims/args.hpp"
#include "shims/git.hpp"

namespace onelane::shims::git {
namespace {

using Longs = std::string_view;

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
