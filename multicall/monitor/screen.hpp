#pragma once

#include <string>
#include <vector>

#include "multicall/monitor/keys.hpp"
#include "multicall/monitor/rows.hpp"

namespace onelane::multicall::monitor {

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
