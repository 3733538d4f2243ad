#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "multicall/view/run_view.hpp"

namespace onelane::multicall {

/// The one run that `id` names, whole or by a beginning that no other id has.
struct FoundRun {
  std::optional<RunView> run;
  std::vector<std::string> candidates;  ///< Where several ids begin so: the newest of them.
};

/// Looks at the live runs and at the whole journal; for a run that has just left its lane, waits
/// for its record as record_of_ended does. Throws SystemError when a lane file cannot be read.
[[nodiscard]] FoundRun find_run(const LanesHere& lanes, std::string_view id);

/// As find_run; says in one line why there is none.
[[nodiscard]] std::optional<RunView> find_run_or_say(const LanesHere& lanes, std::string_view id);

}  // namespace onelane::multicall
