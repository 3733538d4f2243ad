#pragma once

#include <array>
#include <string_view>

#include "shims/shim.hpp"

/// git's command table and the rules for its rows. Not for use outside shims/.
namespace onelane::shims::git {

/// What a command does to the index.
enum class Index { Leaves, Refreshes, Writes };

/// One git command, and its class when its arguments do not change it.
struct Command {
  std::string_view name;
  Class cls = Class::Lane;
  std::string_view reason;
  Index index = Index::Leaves;
  /// Decides from the arguments; nullptr when they do not matter.
  Decision (*refine)(Args args, const Facts& facts, const Decision& row) = nullptr;
};

/// The row of `name`; nullptr when git 2.39 to 2.55 have no such command.
[[nodiscard]] const Command* find_command(std::string_view name);

// Reasons used by several of git's files.
inline constexpr std::string_view kReads = "git: only reads";
inline constexpr std::string_view kAsks = "git: asks which changes to take";
inline constexpr std::string_view kCurrentPatch = "git: only shows the patch it stopped at";

/// A decision without a lane, for `reason`.
[[nodiscard]] constexpr Decision pass(std::string_view reason) {
  return {.cls = Class::Pass, .reason = reason};
}
[[nodiscard]] constexpr Decision lane(std::string_view reason, Index index = Index::Leaves) {
  return {.cls = Class::Lane, .reason = reason, .writes_index = index == Index::Writes};
}
/// `row`, but an editor may open: class Editor when a user is there to use it.
[[nodiscard]] Decision editor(const Decision& row, const Facts& facts, std::string_view reason);
/// `row`, but git itself asks questions on the terminal.
[[nodiscard]] Decision prompt(const Decision& row, const Facts& facts, std::string_view reason);

using Refine = Decision(Args args, const Facts& facts, const Decision& row);

/// True for a call of `command` that reads its work from standard input.
[[nodiscard]] bool reads_input(std::string_view command, Args args);

// Commands that may open an editor.
Refine refine_commit, refine_merge, refine_notes, refine_pick, refine_pull, refine_rebase,
    refine_revert, refine_send_email, refine_tag;

// Commands that may ask on the terminal.
Refine refine_add, refine_am, refine_clean, refine_difftool, refine_mergetool, refine_patch,
    refine_stash;

// Commands that read or write depending on their arguments.
Refine refine_apply, refine_bisect, refine_branch, refine_bundle, refine_commit_graph,
    refine_config, refine_format_patch, refine_gc, refine_hash_object, refine_interpret_trailers,
    refine_lfs, refine_maintenance, refine_push, refine_reflog, refine_refs, refine_remote,
    refine_replace, refine_rerere, refine_p4, refine_sparse_checkout, refine_submodule, refine_svn,
    refine_symbolic_ref, refine_worktree;

}  // namespace onelane::shims::git
