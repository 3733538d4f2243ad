#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "multicall/cli/command.hpp"

namespace onelane::multicall {

/// An option or a positional argument of a verb, as help and completion show it.
struct Argument {
  std::vector<std::string> names;    ///< With their dashes, short ones first; none: a positional.
  std::string value;                 ///< "N", "auto|always|never", "ID"; empty: takes no value.
  std::string choice_behind_equals;  ///< "[=pytest-file]", for a flag that may have a value.
  std::vector<std::string> choices;
  /// What completion offers: "files" or "directories" from the shell, else a KIND such as "ids" or
  /// "tools" from `onelane __complete KIND`; empty for nothing.
  std::string completion;
  std::string description;
  bool is_required = false;
  bool repeats = false;
};

/// A verb, with everything that its help, completion and manual page say about it.
struct Verb {
  std::string path;  ///< "status", "runs list".
  std::string_view summary;
  Group group = Group::Look;
  std::string description;
  std::string footer;
  std::vector<Argument> options;
  std::vector<Argument> positionals;
  bool has_command = false;  ///< The user's command follows the options.
  std::vector<Verb> parts;

  /// Its last word: "list".
  [[nodiscard]] std::string name() const { return path.substr(path.rfind(' ') + 1); }
};

/// The verb that `app` describes; the name of `app` is "onelane VERB".
[[nodiscard]] Verb read_verb(const Options& app);

/// One verb with its parts, as collect_tree() would list it.
[[nodiscard]] Verb read_command(const Command& command);

/// Every verb of `commands` with its parts, in order, without hidden ones. Calls `run` of each with
/// no arguments under Collecting, so that none does anything. A verb with parts is not called.
[[nodiscard]] std::vector<Verb> collect_tree(Commands commands);

/// The verbs of `tree`, each followed by its parts. Points into `tree`.
[[nodiscard]] std::vector<const Verb*> all_of(const std::vector<Verb>& tree);

}  // namespace onelane::multicall
