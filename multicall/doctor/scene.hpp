#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/process/ask.hpp"
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

enum class Level {
  Ok,
  Note,   ///< Worth knowing; not a failure.
  Wrong,  ///< Something bypasses the lane, or the lane cannot work.
};

/// "ok", "note", "wrong": stable words.
[[nodiscard]] std::string_view word_of(Level level) noexcept;

/// What one look found. Text may hold names that others chose: clean it before printing.
struct Finding {
  std::string check;  ///< Name of the check that found it.
  Level level = Level::Ok;
  std::string what;     ///< One clause.
  std::string where;    ///< A path; empty when `what` says it all.
  std::string todo;     ///< What to do about it; empty for Ok.
  std::string command;  ///< Does it, ready to paste; empty if no single command does.
  /// Fixes it and returns what was done; empty if only the user may fix it. Touches only onelane's
  /// own files and lines. Throws SystemError.
  std::function<std::string()> fix;
};

/// The finding as shown to programs.
[[nodiscard]] nlohmann::json to_json(const Finding& finding);

/// Collects the findings of one check.
class Findings {
 public:
  explicit Findings(std::string_view check) : check_{check} {}

  void ok(std::string what) { list_.push_back({check_, Level::Ok, std::move(what)}); }
  void note(Finding finding) { add(std::move(finding), Level::Note); }
  void wrong(Finding finding) { add(std::move(finding), Level::Wrong); }
  [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
  [[nodiscard]] std::vector<Finding> take() { return std::move(list_); }

 private:
  void add(Finding finding, Level level) {
    finding.check = check_;
    finding.level = level;
    list_.push_back(std::move(finding));
  }

  std::string check_;
  std::vector<Finding> list_;
};

/// "git, make and npm".
[[nodiscard]] std::string list_words(const std::vector<std::string>& names);

/// A tool whose name reaches something other than a shim in some shell.
struct Detour {
  std::string tool;
  std::string reached;  ///< A path, the name of a function, or empty.
};

/// What the names of the scene's tools reach, according to a shell.
struct Probe {
  process::Answer answer;
  bool is_complete = false;  ///< The shell answered for every tool.
  std::vector<Detour> detours;
};

/// Asks a shell. `front` is its argv up to the flag that a script follows; the script is added
/// here. `name` is the shell's $0. Otherwise as ask(). The scene must have tools.
[[nodiscard]] Probe probe(const Scene& scene, std::vector<std::string> front, std::string_view name,
                          const decltype(process::Question::environment)& environment = {});

/// "make is /usr/bin/make, and 3 others reach no shim either".
[[nodiscard]] std::string describe(const std::vector<Detour>& detours);

/// The finding for a shell that did not answer.
[[nodiscard]] Finding silence(const std::string& who, const process::Answer& answer);

}  // namespace onelane::multicall::doctor
