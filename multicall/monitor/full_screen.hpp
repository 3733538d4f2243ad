#pragma once

#include <chrono>

#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall::monitor {

struct Options {
  std::chrono::milliseconds interval{1'000};
  bool colours = true;
};

/// Prints what there is now as plain text; `columns` wide where commands are cut. The exit code:
/// 1 when the lane cannot be read, which is then said in the text.
[[nodiscard]] int print_snapshot(const LanesHere& lanes, std::size_t columns);

/// Shows the full screen until somebody quits; the exit code. Blocks. A signal that ends us
/// gives the terminal back first, and then ends us. Prints one line and a snapshot where the
/// terminal has no full screen.
[[nodiscard]] int run_full_screen(const LanesHere& lanes, const Options& options);

/// The pause after a look that took `cost` of processor time: at least `wanted`, and so long
/// that looking takes no more than 1/200 of a processor.
[[nodiscard]] std::chrono::nanoseconds pause_after(std::chrono::nanoseconds cost,
                                                   std::chrono::nanoseconds wanted);

}  // namespace onelane::multicall::monitor
