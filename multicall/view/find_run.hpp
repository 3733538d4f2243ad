#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "multicall/view/run_view.hpp"

namespace onelane::multicall {

/// The one run that `id` names, in full or by a prefix that no other id has.
struct FoundRun {
  std::optional<RunView> run;
  std::vector<std::string> candidates;  ///< The newest ids with that prefix, if there are several.
};

/// Looks at the live runs and at the whole journal; for a run that has just left its lane, blocks
/// for its record as record_of_ended() does. Throws SystemError when a lane file cannot be read.
[[nodiscard]] FoundRun find_run(const LanesHere& lanes, std::string_view id);

/// As find_run(), but prints one line if there is none.
[[nodiscard]] std::optional<RunView> find_run_or_say(const LanesHere& lanes, std::string_view id);

}  // namespace onelane::multicall
