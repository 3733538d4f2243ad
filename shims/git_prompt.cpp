#include <array>
#include <string_view>

#include "shims/args.hpp"
#include "shims/git.hpp"

namespace onelane::shims::git {
namespace {

using Longs = std::string_view;

constexpr auto kPatchLongs = std::to_array<Longs>({"conflict=", "orphan=", "patch",
                                                   "pathspec-from-file=", "pathspec-file-nul",
                                                   "source=", "unified=", "inter-hunk-context="});

}  // namespace

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

}  // namespace onelane::shims::git
