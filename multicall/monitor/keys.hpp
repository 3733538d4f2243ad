#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "multicall/monitor/rows.hpp"

namespace onelane::multicall::monitor {

/// One key.
struct Key {
  enum class Kind : std::uint8_t {
    Byte,  ///< `byte`: one byte of text, which may be UTF-8.
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Escape,
    Backspace,
    Redraw,
    Other,  ///< A key without a meaning here.
  };
  Kind kind = Kind::Byte;
  char byte = '\0';
};

/// What to do; the caller does it, since keys only decide.
struct Order {
  enum class Kind : std::uint8_t { None, Quit, Redraw, EndRun, Cancel, Bump, Hold, Release };
  Kind kind = Kind::None;
  std::string ticket;
};

/// What the user is doing at the moment.
enum class Mode : std::uint8_t { Browse, Filter, Ask, Help };

/// All state that keys change.
struct State {
  Choice choice;
  Mode mode = Mode::Browse;
  Order asked;           ///< With Mode::Ask: what happens after a `y`.
  std::string question;  ///< Clean.
  std::string message;   ///< The last thing that happened, clean; empty for none.
  std::size_t page = 10;
};

/// Handles one key. `rows` are the keys of the rows that can be selected (selectable()). An order
/// that ends or holds something asks first; any key other than a yes is a no.
[[nodiscard]] Order handle(State& state, const Key& key, const Look& look,
                           const std::vector<std::string>& rows, bool unicode);

}  // namespace onelane::multicall::monitor
