#include <array>
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

}  // namespace onelane::shims::git
