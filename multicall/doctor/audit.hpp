#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "multicall/audit/rules.hpp"
#include "multicall/audit/sources.hpp"
#include "multicall/term/paint.hpp"

namespace onelane::multicall::audit {

/// One call in a file that bypasses the lane.
struct Hit {
  std::string file;  ///< Relative to the project.
  int line = 0;
  std::string call;  ///< The words as read; cut.
  Detour detour;
};

/// The hits in the scripts of one file. Pure: reads nothing else.
[[nodiscard]] std::vector<Hit> hits_in(const std::string& file, const Scripts& scripts,
                                       const Tools& tools);

/// How many directory entries are looked at in one project.
inline constexpr std::size_t kMostEntries = 20'000;

/// A file or folder that should have been read but could not be.
struct Unread {
  std::string path;  ///< Relative to the project.
  std::string why;   ///< One clause.
};

/// The files of a project that hold scripts.
struct ScriptFiles {
  std::vector<std::string> paths;  ///< Relative to the project, sorted.
  std::vector<Unread> unread;      ///< Sorted.
  bool is_cut = false;             ///< There were more entries than kMostEntries.

  [[nodiscard]] bool is_complete() const noexcept { return !is_cut && unread.empty(); }
};

/// Follows no symbolic link: one in the place of a script is unread, unless it leads to a file that
/// is read anyway. Leaves out hidden folders, except those of CI and hooks, and what others wrote
/// (node_modules, vendor). At most 4 folders deep; files before folders, each in the order of their
/// names, so that a walk that stops early always stops at the same place. Looks only at names and
/// types: a file in `paths` may still turn out to be unreadable.
[[nodiscard]] ScriptFiles script_files(const std::string& root);

/// `onelane doctor --audit` for the project of the current directory; returns the exit code.
[[nodiscard]] int audit_project(bool as_json, Paint::When color);

}  // namespace onelane::multicall::audit
