#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/process/ask.hpp"
#include "multicall/doctor/finding.hpp"
#include "multicall/doctor/scene.hpp"

namespace onelane::multicall::doctor {

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
