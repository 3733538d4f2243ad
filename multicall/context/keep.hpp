#pragma once

#include "core/process/leftovers.hpp"
#include "core/settings/settings.hpp"

namespace onelane::multicall {

/// The processes that may outlive a run: the built-in list and the project's KEEP. Copies what it
/// needs.
[[nodiscard]] process::KeepList keep_list_of(const settings::Settings& settings);

}  // namespace onelane::multicall
