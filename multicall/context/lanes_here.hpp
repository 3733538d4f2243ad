#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/lane/live.hpp"
#include "core/lane/nesting.hpp"
#include "core/lane/record.hpp"
#include "core/lane/table.hpp"
#include "core/project/project.hpp"
#include "core/settings/settings.hpp"
#include "core/sys/error.hpp"
#include "multicall/context/call.hpp"

namespace onelane::multicall {

/// The project of the current directory, its settings, and its lanes opened for reading.
struct LanesHere {
  project::Project project;  ///< Its `state_dir` is where the settings place the lane.
  settings::Settings settings;
  /// The lanes that exist: the project's, then git's own with `lanes = "split"`. May be empty.
  std::vector<lane::Table> tables;
  /// Why an existing lane could not be read, as when it belongs to another user or is not a file.
  std::optional<sys::SystemError> unreadable;
};

/// Opens what is there. Nothing if no project around the current directory has adopted onelane.
[[nodiscard]] std::optional<LanesHere> lanes_here();
/// Says in one line that no project here has adopted onelane.
void say_not_adopted();
/// Like lanes_here(), with say_not_adopted() if there is nothing.
[[nodiscard]] std::optional<LanesHere> lanes_here_or_say();

/// The same for a verb that reads the journal: says why if the journal cannot be read, and returns
/// nothing. The lanes need not be readable.
[[nodiscard]] std::optional<LanesHere> journal_here_or_say();

/// What is at `path` in place of a regular file: "a directory", "a FIFO"; empty for a regular file
/// or if nothing is there. Does not follow a symbolic link.
[[nodiscard]] std::string_view odd_kind(const std::string& path);

/// The error for `path`, a file of a lane that could not be opened; says what is there if that is
/// not a regular file.
[[nodiscard]] sys::SystemError open_error(const std::string& path, int error);

/// Directories of all lanes of the project, those of the settings and those that exist; the main
/// one is first.
[[nodiscard]] std::vector<std::string> lane_directories(const LanesHere& lanes);

/// Opens the lane in `directory`, one of lane_directories(), for writing, and creates what is
/// missing, as a call would. Throws SystemError.
[[nodiscard]] lane::Table open_lane(const project::Project& project, const std::string& directory);

/// Creates the directory of a lane below the project's state directory, whose descriptor is
/// `state`, with the owner, group and mode of that one. Does nothing if it exists or if it is the
/// state directory itself.
void make_lane_directory(const project::Project& project, int state, const std::string& directory);

/// The lanes of a project; place_lane() must have been called on it.
[[nodiscard]] LanesHere lanes_of(project::Project project, settings::Settings settings);

/// The directory with the logs of a project's runs; place_lane() must have been called on it.
[[nodiscard]] std::string log_directory(const project::Project& project,
                                        const settings::Settings& settings);

/// The project that a call acts on, by its `-C` and the like; nothing if there is none.
[[nodiscard]] std::optional<project::Project> find_project(const Call& call);

/// The project around the current directory; nothing if there is none.
[[nodiscard]] std::optional<project::Project> project_here();

/// Settings of the project at `root` from all sources, for a shim or for a verb.
[[nodiscard]] settings::Loaded load_settings(
    const std::string& root, settings::Audience audience,
    std::vector<std::pair<std::string, std::string>> command_line = {});

/// Sets `state_dir` to where `scope` or SEQUENTIAL_LOCK_BASE_DIR put the lane, and creates the
/// directory of a lane outside the project. A user's lane is in the home directory that /etc/passwd
/// names: it must not depend on the environment.
void place_lane(project::Project& project, const settings::Settings& settings);

/// Directory of the lane that calls of `tool` take: the project's, or with `lanes = "split"` the
/// one below it for git.
[[nodiscard]] std::string lane_directory(const project::Project& project,
                                         const settings::Settings& settings, std::string_view tool);

/// Whether this process is below the holder of the lane in `lane_dir`.
[[nodiscard]] lane::Relation relation_to(const std::string& lane_dir);

/// "on hold by anna for 3m12s (disk swap)", printable. `with_remedy` adds how to end it, early in
/// the text, so that a narrow terminal does not cut it off.
[[nodiscard]] std::string hold_words(const lane::Header& header, bool with_remedy = false);

}  // namespace onelane::multicall
