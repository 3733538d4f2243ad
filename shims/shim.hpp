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
  Pass,     ///< Reads, prints information about itself, moves data: execve, no lane, no limits.
  Lane,     ///< Writes, builds, tests, installs, or is unknown: waits its turn, supervised.
  Editor,   ///< Like Lane, but may wait in an editor or at a prompt: never a time limit.
  Service,  ///< Long-lived on purpose: no lane, no time limit, supervised and listed.
};

/// The class of a call, and the reason.
struct Decision {
  Class cls = Class::Lane;
  std::string_view reason;  ///< Static text, shown by `onelane explain`.
  /// Passes when it is below a live service of the same project (same session).
  bool passes_below_service = false;
  /// Refreshes git's index if possible (`git status`): gets GIT_OPTIONAL_LOCKS=0 while another call
  /// holds the lane.
  bool refreshes_index = false;
  /// Writes git's index: waits, for a limited time, for a fresh `.git/index.lock` of another
  /// process.
  bool writes_index = false;
  /// Reads its work from standard input, and so makes no progress before that is written: the
  /// process that writes it may make other calls meanwhile, which belong to this call's turn.
  bool reads_input = false;
};

/// What a policy may ask about its surroundings. Nothing is read before it is asked for, and
/// everything read is data: a policy never runs anything. In production the facts come from the
/// process and its files (multicall/), in tests from a table.
class Facts {
 public:
  virtual ~Facts() = default;
  [[nodiscard]] virtual bool stdin_is_terminal() const = 0;
  /// Value in the environment, nullopt when unset.
  [[nodiscard]] virtual std::optional<std::string> environment(std::string_view name) const = 0;
  /// Text of `alias.NAME` as git would see it for this call, nullopt when there is none.
  [[nodiscard]] virtual std::optional<std::string> git_alias(std::string_view name) const = 0;
  /// Text of scripts.NAME in the package.json that applies to this call, nullopt when there is
  /// none.
  [[nodiscard]] virtual std::optional<std::string> npm_script(std::string_view name) const = 0;
  /// True when the repository of this call has an executable hook `name`.
  [[nodiscard]] virtual bool git_hook(std::string_view name) const = 0;
};

/// Where a call takes effect, relative to the directory it was made in.
struct Target {
  std::vector<std::string> directories;  ///< Entered one after another (`-C a -C b`, `--prefix`).
  std::optional<std::string> git_dir;    ///< `--git-dir`, git only.
};

/// One wrapped tool. Both functions are pure: arguments and facts in, a value out.
struct Shim {
  std::string_view name;  ///< Base name of argv[0], and the name of the link.
  Decision (*classify)(Args args, const Facts& facts);
  Target (*target)(Args args);
};

/// The built-in policy of `name`, nullptr when there is none. Exact match.
[[nodiscard]] const Shim* find_shim(std::string_view name);

/// The built-in shims, sorted by name: git, make, npm, pytest, vitest.
[[nodiscard]] std::span<const Shim> all_shims();

/// A project's `[tools.NAME]`.
struct ToolLists {
  std::vector<std::string> pass;     ///< First arguments (or make targets, npm scripts) that pass.
  std::vector<std::string> service;  ///< … that are services.
  Class fallback = Class::Lane;      ///< Class of calls that no list names (generic tools only).
};

/// Decides for a tool that is known only from the project's lists.
[[nodiscard]] Decision classify_listed(Args args, const ToolLists& lists);

/// The built-in decision for `tool`, changed by the project's lists if they name the call (a make
/// target, an npm script, a subcommand). The caller has checked that the lists are trusted if they
/// loosen a built-in tool.
[[nodiscard]] Decision apply_lists(std::string_view tool, Args args, Decision built_in,
                                   const ToolLists& lists);

/// The subjects of a call, according to its tool's policy: make's goals, npm's script, git's
/// subcommand, else the first word that is neither an option nor an option's value. May be empty.
[[nodiscard]] std::vector<std::string_view> subjects_of(std::string_view tool, Args args);

/// True when one of `entries` (TOOL, or TOOL:SUBJECT with `*` for any characters) names the tool,
/// or when each subject of the call is named by an entry.
[[nodiscard]] bool names_call(const std::vector<std::string>& entries, std::string_view tool,
                              Args args);

}  // namespace onelane::shims
