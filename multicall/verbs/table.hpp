#pragma once

#include <span>

#include "multicall/cli/command.hpp"
#include "multicall/context/call.hpp"

namespace onelane::multicall {

/// The table of verbs, sorted by name.
[[nodiscard]] std::span<const Command* const> all_commands() noexcept;

/// `onelane VERB …`. Of the verbs, only `run` and `queue start` take the lane.
[[nodiscard]] int run_command(int argc, char** argv);

/// `seq …` and `safe-run …`, which are `onelane run -- …`.
[[nodiscard]] int run_sequential(const Call& call);

}  // namespace onelane::multicall
