#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "multicall/cli/command.hpp"

namespace onelane::multicall {

/// An option or a positional of a verb, as its definition says it.
struct Argument {
  std::vector<std::string> names;    ///< With their dashes, short ones first; none: a positional.
  std::string value;                 ///< "N", "auto|always|never", "ID"; empty: takes no value.
  std::string choice_behind_equals;  ///< "[=pytest-file]", for a flag that may have a value.
  std::vector<std::string> choices;
  /// What `onelane __complete` is asked for: "ids", "tools"; "files", "directories": the shell.
  std::string completion;
  std::string description;
  bool is_required = false;
  bool repeats = false;
};

/// A verb, with everything that its help, its completion and the manual say about it.
struct Verb {
  std::string path;  ///< "status", "runs list".
  std::string_view summary;
  Group group = Group::Look;
  std::string description;
  std::string footer;
  std::vector<Argument> options;
  std::vector<Argument> positionals;
  bool has_command = false;  ///< A command of the user's follows.
  std::vector<Verb> parts;

  /// Its last word: "list".
  [[nodiscard]] std::string name() const { return path.substr(path.rfind(' ') + 1); }
};

/// What `app` defines; its name is "onelane VERB".
[[nodiscard]] Verb read_verb(const Options& app);

/// One verb with its parts, as collect_tree has it.
[[nodiscard]] Verb read_command(const Command& command);

/// Every verb of `commands` with its parts, in their order, hidden ones left out. Calls each
/// without words under Collecting, so nothing is done. A verb with parts is not called itself.
[[nodiscard]] std::vector<Verb> collect_tree(Commands commands);

/// The verbs themselves and all their parts, in order.
[[nodiscard]] std::vector<const Verb*> all_of(const std::vector<Verb>& tree);

}  // namespace onelane::multicall
