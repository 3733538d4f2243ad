#pragma once

#include "multicall/cli/options.hpp"
#include "multicall/term/paint.hpp"

namespace onelane::multicall {

/// `--color=auto|always|never`.
void add_colour(Options& app, Paint::When& when);

}  // namespace onelane::multicall
