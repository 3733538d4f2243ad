#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/process/signals.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/context/lanes_here.hpp"
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

/// An order of the user, carried out by a child, so that the screen never waits: for the gate of
/// the lane, or for a run to end. The child answers with one line.
///
/// The child outlives the monitor: a run that is being ended goes on being ended. It is in a
/// process group of its own, so that Ctrl-C at the monitor does not reach it.
class Errand {
 public:
  /// Forks. Throws SystemError when that fails.
  Errand(const Order& order, const LanesHere& lanes, const process::Signals& signals);

  /// Becomes readable when there is something to collect.
  [[nodiscard]] int fd() const noexcept { return pipe_.get(); }
  /// The result, once the child is done; empty before that. Never blocks.
  [[nodiscard]] std::optional<std::string> collect();

 private:
  sys::FileDescriptor pipe_;
  pid_t child_ = -1;
  std::string said_;
};

/// Carries out an order other than EndRun. Blocks for the gate of the lane. Returns one line that
/// says how it went; throws SystemError if the lane cannot be written. Opens the tables of `lanes`
/// again, since a lane may have been created meanwhile.
[[nodiscard]] std::string carry_out(const Order& order, const LanesHere& lanes);

}  // namespace onelane::multicall::monitor
