#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "multicall/audit/rules.hpp"
#include "multicall/audit/sources.hpp"
#include "multicall/term/paint.hpp"

namespace onelane::multicall::audit {

/// One call in a file that goes round the lane.
struct Hit {
  std::string file;  ///< Relative to the project.
  int line = 0;
  std::string call;  ///< As its words were read; cut.
  Detour detour;
};

/// The hits in the scripts of one file. Pure.
[[nodiscard]] std::vector<Hit> hits_in(const std::string& file, const Scripts& scripts,
                                       const Tools& tools);

/// Entries of directories that are looked at in one project.
inline constexpr std::size_t kMostEntries = 20'000;

/// A file or folder that was to be read, and was not.
struct Unread {
  std::string path;  ///< Relative to the project.
  std::string why;   ///< One clause.
};

/// Files of a project that hold scripts.
struct ScriptFiles {
  std::vector<std::string> paths;  ///< Relative to the project, sorted.
  std::vector<Unread> unread;      ///< Sorted.
  bool is_cut = false;             ///< There were more than kMostEntries.

  [[nodiscard]] bool is_complete() const noexcept { return !is_cut && unread.empty(); }
};

/// No symbolic link is followed (one in the place of a script is unread unless it leads to a file
/// that is looked at itself), hidden folders apart from those of CI and hooks are left out, and
/// so is what others wrote (node_modules, vendor). At most 4 folders deep; files before folders,
/// each in the order of their names, so that a walk that stops early stops at the same place.
/// Looks at names and types alone: what stands in `paths` may turn out unreadable yet.
[[nodiscard]] ScriptFiles script_files(const std::string& root);

/// `onelane doctor --audit` for the project of the current directory; the exit code.
[[nodiscard]] int audit_project(bool as_json, Paint::When color);

}  // namespace onelane::multicall::audit
