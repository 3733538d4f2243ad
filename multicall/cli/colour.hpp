#pragma once

#include "multicall/cli/options.hpp"
#include "multicall/term/paint.hpp"

namespace onelane::multicall {

/// Adds `--color=auto|always|never`, read into `when`.
void add_colour(Options& app, Paint::When& when);

}  // namespace onelane::multicall
