#include "multicall/monitor/keys.hpp"

#include <algorithm>

namespace onelane::multicall::monitor {
namespace {

using Pressed = Key::Kind;

constexpr std::size_t kLongestFilter = 60;

/// One key in one state.
class Handler {
 public:
  Handler(State& state, const Look& look, const std::vector<std::string>& rows, bool unicode)
      : state_{state}, look_{look}, rows_{rows}, unicode_{unicode} {}

  Order run(const Key& key) {
    if (key.kind == Pressed::Redraw) {
      return {Order::Kind::Redraw, {}};
    }
    switch (state_.mode) {
      case Mode::Filter:
        return edit_filter(key);
      case Mode::Ask:
        return answer(key);
      case Mode::Help:
        state_.mode = Mode::Browse;
        return {};
      case Mode::Browse:
        break;
    }
    state_.message.clear();
    return browse(key);
  }

 private:
  Order answer(const Key& key) {
    state_.mode = Mode::Browse;
    if (key.kind == Pressed::Byte && (key.byte == 'y' || key.byte == 'Y')) {
      return state_.asked;
    }
    state_.message = "nothing done";
    return {};
  }

  Order edit_filter(const Key& key) {
    std::string& filter = state_.choice.filter;
    if (key.kind == Pressed::Enter) {
      state_.mode = Mode::Browse;
    } else if (key.kind == Pressed::Escape) {
      filter.clear();
      state_.mode = Mode::Browse;
    } else if (key.kind == Pressed::Backspace) {
      while (!filter.empty() && (static_cast<unsigned char>(filter.back()) & 0xc0U) == 0x80) {
        filter.pop_back();
      }
      if (!filter.empty()) {
        filter.pop_back();
      }
    } else if (key.kind == Pressed::Byte && filter.size() < kLongestFilter &&
               static_cast<unsigned char>(key.byte) >= 0x20 && key.byte != 0x7f) {
      filter += key.byte;
    }
    return {};
  }

  Order browse(const Key& key) {
    const auto page = static_cast<std::ptrdiff_t>(std::max<std::size_t>(1, state_.page));
    const auto all = static_cast<std::ptrdiff_t>(rows_.size());
    switch (key.kind) {
      case Pressed::Up:
        return move(-1);
      case Pressed::Down:
        return move(1);
      case Pressed::PageUp:
        return move(-page);
      case Pressed::PageDown:
        return move(page);
      case Pressed::Home:
        return move(-all);
      case Pressed::End:
        return move(all);
      case Pressed::Escape:
        state_.choice.selected.clear();
        state_.choice.filter.clear();
        return {};
      case Pressed::Byte:
        return command(key.byte);
      default:
        return {};
    }
  }

  Order move(std::ptrdiff_t by) {
    if (rows_.empty()) {
      return {};
    }
    const auto at = std::ranges::find(rows_, state_.choice.selected);
    const auto last = static_cast<std::ptrdiff_t>(rows_.size()) - 1;
    // If nothing is selected, down begins at the top and up at the bottom.
    const std::ptrdiff_t from = at != rows_.end() ? at - rows_.begin() : by > 0 ? -1 : last + 1;
    const auto to = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(from + by, 0, last));
    state_.choice.selected = rows_[to];
    return {};
  }

  Order command(char byte) {
    switch (byte) {
      case 'q':
        return {Order::Kind::Quit, {}};
      case '?':
        state_.mode = Mode::Help;
        return {};
      case '/':
        state_.mode = Mode::Filter;
        return {};
      case 's':
        state_.choice.sort = static_cast<Sort>((static_cast<int>(state_.choice.sort) + 1) % 4);
        return {};
      case 't':
        state_.choice.as_tree = !state_.choice.as_tree;
        return {};
      case 'k':
        return end_run();
      case 'c':
        return on_waiting(Order::Kind::Cancel);
      case 'b':
        return on_waiting(Order::Kind::Bump);
      case 'h':
        return toggle_hold();
      default:
        return {};
    }
  }

  Order ask(Order order, std::string question) {
    state_.mode = Mode::Ask;
    state_.asked = std::move(order);
    state_.question = std::move(question);
    return {};
  }

  Order refuse(std::string why) {
    state_.message = std::move(why);
    return {};
  }

  [[nodiscard]] std::string name_of(const TicketView& ticket) const {
    return "`" + clip(clean_text(ticket.command, unicode_), 40, unicode_) + "` (" + ticket.id + ")";
  }

  /// The selected service, else the holder.
  Order end_run() {
    const TicketView* victim = look_.find(ticket_of(state_.choice.selected));
    if (victim == nullptr || !victim->has_started()) {
      victim = nullptr;
      for (const LaneLook& lane : look_.lanes) {
        if (victim == nullptr && lane.view.holder) {
          victim = &*lane.view.holder;
        }
      }
    }
    if (victim == nullptr) {
      return refuse("nothing runs here");
    }
    return ask({Order::Kind::EndRun, victim->id}, "end " + name_of(*victim) + "?");
  }

  /// The selected ticket; never another one by accident.
  Order on_waiting(Order::Kind kind) {
    const TicketView* ticket = look_.find(ticket_of(state_.choice.selected));
    if (ticket == nullptr || ticket->has_started()) {
      return refuse("select a ticket in the queue first (arrow keys)");
    }
    if (kind == Order::Kind::Bump) {
      return {kind, ticket->id};
    }
    return ask({kind, ticket->id}, "cancel " + name_of(*ticket) + "?");
  }

  Order toggle_hold() {
    const bool is_held =
        std::ranges::any_of(look_.lanes, [](const LaneLook& lane) { return lane.view.is_on_hold; });
    return is_held ? ask({Order::Kind::Release, {}}, "release the lane?")
                   : ask({Order::Kind::Hold, {}}, "hold the lane (nothing starts)?");
  }

  State& state_;
  const Look& look_;
  const std::vector<std::string>& rows_;
  const bool unicode_;
};

}  // namespace

Order handle(State& state, const Key& key, const Look& look, const std::vector<std::string>& rows,
             bool unicode) {
  return Handler{state, look, rows, unicode}.run(key);
}

}  // namespace onelane::multicall::monitor
