#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/project/project.hpp"
#include "core/settings/settings.hpp"
#include "multicall/init/adoption.hpp"

namespace onelane::multicall::doctor {

/// What all checks look at: the project of the current directory as it is now. Without an adopted
/// project, only `loaded` and `path` are filled.
struct Scene {
  std::optional<project::Project> project;  ///< As found; the manifest is in its `state_dir`.
  settings::Loaded loaded;
  project::Project placed;           ///< The same, but `state_dir` is where the lane is.
  std::string bin;                   ///< The project's .onelane/bin.
  std::optional<Manifest> manifest;  ///< What init made; empty if it cannot be read.
  std::vector<std::string> tools;    ///< Names that should reach a shim, sorted.
  std::string path;                  ///< PATH; empty when unset.

  [[nodiscard]] bool is_adopted() const noexcept { return project && project->adopted; }
};

/// Reads the scene. Does not throw for anything that a check reports.
[[nodiscard]] Scene scene_here();

/// Directories of `path` in order, as written: "" for an empty entry.
[[nodiscard]] std::vector<std::string> entries_of(const std::string& path);

/// What a name reaches on a PATH.
struct Reached {
  std::string path;      ///< Empty if nothing of that name can be executed.
  bool is_shim = false;  ///< It is onelane.
};
[[nodiscard]] Reached reached(const std::string& name, const std::string& path);

/// The tools of the scene that do not reach a shim on `path`.
[[nodiscard]] std::vector<std::string> unshimmed(const Scene& scene, const std::string& path);

/// PATH without the shims, as it was before direnv or anything else added them.
[[nodiscard]] std::string path_without_shims(const Scene& scene);

/// Whose directory of executables this is: "a Python environment", "node_modules", "pyenv" …; empty
/// if not known. `is_manager` is set for a version manager, whose files are wrappers themselves.
struct Whose {
  std::string_view name;
  bool is_manager = false;
};
[[nodiscard]] Whose whose_directory(const std::string& directory);

/// The line of a shell's profile that puts the shims first.
[[nodiscard]] std::string path_line(const Scene& scene);

}  // namespace onelane::multicall::doctor
