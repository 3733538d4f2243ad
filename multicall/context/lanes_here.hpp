#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/lane/live.hpp"
#include "core/lane/table.hpp"
#include "core/project/project.hpp"
#include "core/settings/settings.hpp"
#include "core/sys/error.hpp"

namespace onelane::multicall {

/// The project of the current directory, its settings, and its lanes opened for reading.
struct LanesHere {
  project::Project project;  ///< With `state_dir` where the settings have placed the lane.
  settings::Settings settings;
  /// The lane that has been used so far, then git's own with `lanes = "split"`; may be empty.
  std::vector<lane::Table> tables;
  /// Why a lane that is there could not be read: it is another user's, or no file.
  std::optional<sys::SystemError> unreadable;
};

/// Nothing where no project has adopted onelane.
[[nodiscard]] std::optional<LanesHere> lanes_here();
/// Says that in one line.
void say_nobody_adopted();
/// lanes_here, which says it.
[[nodiscard]] std::optional<LanesHere> lanes_here_or_say();

/// The same for whoever reads the journal, which must be readable; the lanes need not be.
[[nodiscard]] std::optional<LanesHere> journal_here_or_say();

/// What has the place of a file without being one: "a directory", "a FIFO"; empty for a regular
/// file, and where nothing is.
[[nodiscard]] std::string_view odd_kind(const std::string& path);

/// Why `path`, a file of a lane, could not be opened; what is there if that is no file.
[[nodiscard]] sys::SystemError open_error(const std::string& path, int error);

/// Directories of all lanes that the settings give the project, the main one first, and of those
/// that are there.
[[nodiscard]] std::vector<std::string> lane_directories(const LanesHere& lanes);

/// Opens the lane in `directory`, one of the project's, for writing, and makes what is missing of
/// it, as a call would. Throws SystemError.
[[nodiscard]] lane::Table open_lane(const project::Project& project, const std::string& directory);

/// Makes the directory of a lane below the project's own, open as `state`, as that one is: owner,
/// group and mode. Harmless where it is there.
void make_lane_directory(const project::Project& project, int state, const std::string& directory);

/// The lanes of a project whose lane has been placed (place_lane).
[[nodiscard]] LanesHere lanes_of(project::Project project, settings::Settings settings);

/// Where the logs of a project's runs are; its lane has been placed.
[[nodiscard]] std::string log_directory(const project::Project& project,
                                        const settings::Settings& settings);

}  // namespace onelane::multicall
