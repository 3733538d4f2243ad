#pragma once

#include <span>

#include "multicall/cli/command.hpp"
#include "multicall/context/call.hpp"

namespace onelane::multicall {

/// The table of verbs, sorted by name.
[[nodiscard]] std::span<const Command* const> all_commands() noexcept;

/// `onelane VERB …`. None of the verbs takes the lane, `run` apart.
[[nodiscard]] int run_command(int argc, char** argv);

/// `seq …` and `safe-run …`, which are `onelane run -- …`.
[[nodiscard]] int run_sequential(const Call& call);

}  // namespace onelane::multicall
