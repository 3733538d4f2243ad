#include <cstdlib>
#include <string_view>

#include "multicall/doctor/checks.hpp"

namespace onelane::multicall::doctor {

void look_at_settings(const Scene& scene, Findings& out) {
  for (const settings::Problem& problem : scene.loaded.problems) {
    const bool is_trust = problem.text.find("trust") != std::string::npos;
    out.wrong({.what = settings::describe(problem),
               .todo = is_trust ? "read what it asks for, then trust it" : "change that line",
               .command = is_trust ? "onelane trust" : ""});
  }
  if (out.empty()) {
    out.ok("every value can be used");
  }
}

void look_at_switches(const Scene& scene, Findings& out) {
  const char* off = std::getenv("ONELANE");
  if (off != nullptr && std::string_view{off} == "off") {
    out.note({.what = "ONELANE=off is in the environment: every shim passes",
              .todo = "remove it if it was meant for one call",
              .command = "unset ONELANE"});
  }
  const auto& sequential = scene.loaded.settings.sequential;
  if (!sequential.value) {
    out.note({.what = "PROJECT_SEQUENTIAL_MODE=0: this project's calls take no lane",
              .where = settings::place_of(sequential.source),
              .todo = "set it to 1 to switch the lane on"});
  }
  if (out.empty()) {
    out.ok("nothing switches onelane off");
  }
}

}  // namespace onelane::multicall::doctor
