#include "multicall/monitor/keys.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <exception>

#include "core/lane/admin.hpp"
#include "core/sys/error.hpp"
#include "multicall/view/find_ticket.hpp"

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

/// In the child: standard output and error go into the pipe, standard input is empty, and signals
/// are as the monitor inherited them.
void detach(int pipe, const process::Signals& signals) {
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  (void)::dup2(nothing, 0);
  (void)::dup2(pipe, 1);
  (void)::dup2(pipe, 2);
  (void)::setpgid(0, 0);
  signals.restore();
  (void)::signal(SIGPIPE, SIG_IGN);  // the monitor may be gone
}

[[noreturn]] void work(const Order& order, const LanesHere& lanes) noexcept {
  std::string said;
  try {
    said = carry_out(order, lanes);
  } catch (const std::exception& failure) {
    said = failure.what();
  }
  (void)sys::write_all(1, said + "\n");
  ::_exit(0);
}

}  // namespace

Order handle(State& state, const Key& key, const Look& look, const std::vector<std::string>& rows,
             bool unicode) {
  return Handler{state, look, rows, unicode}.run(key);
}

std::string carry_out(const Order& order, const LanesHere& lanes) {
  const LanesHere now = lanes_of(lanes.project, lanes.settings);
  if (order.kind == Order::Kind::Hold || order.kind == Order::Kind::Release) {
    const bool hold = order.kind == Order::Kind::Hold;
    for (const std::string& directory : lane_directories(now)) {
      (void)lane::set_held(open_lane(now.project, directory), hold);
    }
    return hold ? "the lane is on hold" : "the lane is released";
  }
  const auto found = find_ticket(now, order.ticket);
  if (!found) {
    return order.ticket + " is gone";
  }
  const bool is_bump = order.kind == Order::Kind::Bump;
  const bool is_done =
      is_bump ? lane::bump(open_writable(*found), order.ticket) : cancel_ticket(*found);
  return !is_done  ? order.ticket + " no longer waits"
         : is_bump ? order.ticket + " goes before all other waiting calls"
                   : "cancelled " + order.ticket;
}

Errand::Errand(const Order& order, const LanesHere& lanes, const process::Signals& signals) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    sys::throw_errno("make", "a pipe");
  }
  pipe_ = sys::lift(ends[0]);
  const auto write_end = sys::lift(ends[1]);
  const std::array<const char*, 5> stop{"onelane", "stop", order.ticket.c_str(), "--yes", nullptr};
  child_ = ::fork();
  if (child_ < 0) {
    sys::throw_errno("fork", "a child");
  }
  if (child_ == 0) {
    detach(write_end.get(), signals);
    if (order.kind != Order::Kind::EndRun) {
      work(order, lanes);
    }
    ::execv("/proc/self/exe", const_cast<char* const*>(stop.data()));  // NOLINT: execv(3)
    ::_exit(127);
  }
  (void)::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
}

std::optional<std::string> Errand::collect() {
  std::array<char, 4096> chunk{};
  for (;;) {
    const ssize_t got = ::read(pipe_.get(), chunk.data(), chunk.size());
    if (got > 0) {
      said_.append(chunk.data(), static_cast<std::size_t>(got));
      continue;
    }
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0 && errno == EAGAIN) {
      return std::nullopt;
    }
    break;
  }
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  while (said_.ends_with('\n')) {
    said_.pop_back();
  }
  return said_.substr(said_.rfind('\n') + 1);
}

}  // namespace onelane::multicall::monitor
