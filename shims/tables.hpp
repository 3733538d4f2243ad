#pragma once

#include <span>
#include <string_view>

/// Data about tools that core needs but must not contain itself.
namespace onelane::shims {

/// A process that is left running on purpose when a run ends. Each text is a glob (`*`).
struct KeepRule {
  std::string_view name;             ///< Base name of argv[0], or comm (15 characters).
  std::string_view argument;         ///< One argument must match; empty: any.
  std::string_view unless_argument;  ///< No argument may match; `|` separates alternatives.
};

/// The built-in keep list: daemons that outlive the run that happened to start them.
[[nodiscard]] std::span<const KeepRule> keep_list();

/// True when `rule` keeps a process of this name with these arguments (after argv[0]).
[[nodiscard]] bool keeps(const KeepRule& rule, std::string_view name,
                         std::span<const std::string_view> arguments);

/// git's index lock, relative to the git directory of a work tree.
[[nodiscard]] std::string_view index_lock_name();

}  // namespace onelane::shims
