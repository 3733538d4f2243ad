#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/process/ask.hpp"
#include "multicall/doctor/finding.hpp"
#include "multicall/doctor/scene.hpp"

namespace onelane::multicall::doctor {

/// A tool whose name reaches something else than a shim in some shell.
struct Detour {
  std::string tool;
  std::string reached;  ///< A path, the name of a function, or empty.
};

/// What a shell says that the names of the scene's tools reach.
struct Probe {
  process::Answer answer;
  bool is_complete = false;  ///< It told of every tool.
  std::vector<Detour> detours;
};

/// Asks a shell that `front` starts: argv up to the flag behind which the script comes, which
/// this adds. `name` is the shell's $0. As ask() for the rest; not for a scene without tools.
[[nodiscard]] Probe probe(const Scene& scene, std::vector<std::string> front, std::string_view name,
                          const decltype(process::Question::environment)& environment = {});

/// "make is /usr/bin/make, and so on for 3 tools".
[[nodiscard]] std::string describe(const std::vector<Detour>& detours);

/// For a shell that did not tell.
[[nodiscard]] Finding silence(const std::string& who, const process::Answer& answer);

}  // namespace onelane::multicall::doctor
