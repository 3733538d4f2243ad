#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "multicall/monitor/rows.hpp"

namespace onelane::multicall::monitor {

/// One key.
struct Key {
  enum class Kind : std::uint8_t {
    Byte,  ///< `byte`: one of text, which may be UTF-8.
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
    Other,  ///< One that means nothing here.
  };
  Kind kind = Kind::Byte;
  char byte = '\0';
};

/// What is to be done; by the caller, since keys only decide.
struct Order {
  enum class Kind : std::uint8_t { None, Quit, Redraw, EndRun, Cancel, Bump, Hold, Release };
  Kind kind = Kind::None;
  std::string ticket;
};

/// What the user does at the moment.
enum class Mode : std::uint8_t { Browse, Filter, Ask, Help };

/// Everything that keys change.
struct State {
  Choice choice;
  Mode mode = Mode::Browse;
  Order asked;           ///< With Mode::Ask: what happens after a `y`.
  std::string question;  ///< Clean.
  std::string message;   ///< The last thing that happened, clean; empty for none.
  std::size_t page = 10;
};

/// Takes one key. `rows` are the keys of the rows that can be selected (selectable()). Whatever
/// ends or holds something asks first; a key that is no answer is a no.
[[nodiscard]] Order handle(State& state, const Key& key, const Look& look,
                           const std::vector<std::string>& rows, bool unicode);

}  // namespace onelane::multicall::monitor
