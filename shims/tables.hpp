#pragma once

#include <span>
#include <string_view>

/// Data about tools that core needs and must not name itself.
namespace onelane::shims {

/// A process that is left running on purpose when a run ends.
struct KeepRule {
  std::string_view name;             ///< Glob over the base name of argv[0] or over comm.
  std::string_view argument;         ///< Glob that one argument must match; empty: any.
  std::string_view unless_argument;  ///< Glob that no argument may match; empty: none.
};

/// The built-in keep list: daemons that outlive the run that happened to start them.
[[nodiscard]] std::span<const KeepRule> keep_list();

/// git's index lock, relative to the git directory of a work tree.
[[nodiscard]] std::string_view index_lock_name();

}  // namespace onelane::shims
