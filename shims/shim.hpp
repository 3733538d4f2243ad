#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::shims {

/// Arguments after argv[0].
using Args = std::span<const std::string_view>;

/// What happens to a call.
enum class Class {
  Pass,     ///< Reads, answers about itself, moves bytes: execve, no lane, no limits.
  Lane,     ///< Writes, builds, tests, installs, or is not known: waits its turn, supervised.
  Editor,   ///< As Lane, and may sit in an editor or prompt: never a time limit.
  Service,  ///< Long-lived on purpose: no lane, no time limit, supervised and listed.
};

/// What one call is, and why.
struct Decision {
  Class cls = Class::Lane;
  std::string_view reason;  ///< Static text, shown by `onelane explain`.
  /// Below a live service of the same project (same session) this call passes.
  bool passes_below_service = false;
  /// Refreshes git's index when it can (`git status`): gets GIT_OPTIONAL_LOCKS=0 while
  /// somebody else holds the lane.
  bool refreshes_index = false;
  /// Writes git's index: waits, bounded, for a fresh foreign `.git/index.lock`.
  bool writes_index = false;
  /// Reads its work from standard input, and so does not get on before that is written: a process
  /// that writes it may make other calls meanwhile, which are a part of this one's turn.
  bool reads_input = false;
};

/// What a policy may ask about the world. Nothing is read before it is asked for, and what
/// is read is data: no policy ever runs anything. Production reads the process and its
/// files (multicall/), tests hand in a table.
class Facts {
 public:
  virtual ~Facts() = default;
  [[nodiscard]] virtual bool stdin_is_terminal() const = 0;
  /// Value in the environment, nothing when unset.
  [[nodiscard]] virtual std::optional<std::string> environment(std::string_view name) const = 0;
  /// Text of `alias.NAME` as git would see it for this call, nothing when there is none.
  [[nodiscard]] virtual std::optional<std::string> git_alias(std::string_view name) const = 0;
  /// Text of scripts.NAME in the package.json this call acts on, nothing when there is none.
  [[nodiscard]] virtual std::optional<std::string> npm_script(std::string_view name) const = 0;
  /// True when the repository this call acts on has an executable hook `name`.
  [[nodiscard]] virtual bool git_hook(std::string_view name) const = 0;
};

/// Where a call acts, relative to the directory it was called in.
struct Target {
  std::vector<std::string> directories;  ///< Entered one after another (`-C a -C b`, `--prefix`).
  std::optional<std::string> git_dir;    ///< `--git-dir`, git only.
};

/// One wrapped tool. Both functions are pure: arguments and facts in, a value out.
struct Shim {
  std::string_view name;  ///< basename of argv[0], also the link's name
  Decision (*classify)(Args args, const Facts& facts);
  Target (*target)(Args args);
};

/// The policy of `name`, nullptr when it has none built in. Exact match.
[[nodiscard]] const Shim* find_shim(std::string_view name);

/// The built-in shims, sorted by name: git, make, npm, pytest, vitest.
[[nodiscard]] std::span<const Shim> all_shims();

/// What a project's `[tools.NAME]` says about a tool.
struct ToolLists {
  std::vector<std::string> pass;     ///< First arguments (or make targets, npm scripts) that pass.
  std::vector<std::string> service;  ///< … that are services.
  Class fallback = Class::Lane;      ///< Class of what no list names (generic tools only).
};

/// Policy of a tool that only its project knows.
[[nodiscard]] Decision classify_listed(Args args, const ToolLists& lists);

/// The built-in decision for `tool`, changed by the project's lists where they name the call
/// (a make target, an npm script, a sub-command). The caller has checked that the lists are
/// trusted where they loosen a built-in tool.
[[nodiscard]] Decision apply_lists(std::string_view tool, Args args, Decision built_in,
                                   const ToolLists& lists);

/// What a call is about, as its tool's policy reads it: make's goals, npm's script, git's
/// sub-command, else the first word that is no option and no option's value. May be empty.
[[nodiscard]] std::vector<std::string_view> subjects_of(std::string_view tool, Args args);

/// One of `entries` (TOOL, or TOOL:SUBJECT with `*` for any characters) names the tool, or each
/// subject of the call is named by one.
[[nodiscard]] bool names_call(const std::vector<std::string>& entries, std::string_view tool,
                              Args args);

}  // namespace onelane::shims
