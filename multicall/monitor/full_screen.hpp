#pragma once

#include <chrono>

#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall::monitor {

struct Options {
  std::chrono::milliseconds interval{1'000};
  bool colours = true;
};

/// Prints the present state as plain text, with commands cut to `columns`. Returns the exit code: 1
/// when the lane cannot be read, which the text then says.
[[nodiscard]] int print_snapshot(const LanesHere& lanes, std::size_t columns);

/// Shows the full screen until the user quits. Blocks; returns the exit code. A signal that ends us
/// restores the terminal first. If the terminal cannot show a full screen, prints one line and a
/// snapshot instead.
[[nodiscard]] int run_full_screen(const LanesHere& lanes, const Options& options);

/// The pause after a look that took `cost` of processor time: at least `wanted`, and long enough
/// that looking takes no more than 1/200 of a processor.
[[nodiscard]] std::chrono::nanoseconds pause_after(std::chrono::nanoseconds cost,
                                                   std::chrono::nanoseconds wanted);

}  // namespace onelane::multicall::monitor
