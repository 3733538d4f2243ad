#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "multicall/context/lanes_here.hpp"
#include "multicall/monitor/keys.hpp"
#include "multicall/monitor/rows.hpp"

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

/// What a screen shows: exactly `rows` lines, none wider than `columns`.
struct Screen {
  std::vector<Line> lines;
};

struct Size {
  std::size_t rows = 24;
  std::size_t columns = 80;
};

/// Lays everything out. Pure: the same look and state give the same screen.
///
/// The head comes first, as much of it as fits; then the lists, each with a title. If they do not
/// all fit, each gets its share, the processes get the rest, and a list shows the part around the
/// selected row.
[[nodiscard]] Screen compose(const Look& look, const State& state, const Size& size, bool unicode);

/// Everything as plain lines, without a limit on the height.
[[nodiscard]] std::vector<Line> plain_lines(const Look& look, const Paper& paper);

/// The keys of all rows that can be selected, from top to bottom.
[[nodiscard]] std::vector<std::string> selectable(const Look& look, const State& state);

}  // namespace onelane::multicall::monitor
