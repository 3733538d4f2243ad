#include <sys/ioctl.h>
#include <unistd.h>

#include "core/sys/error.hpp"
#include "core/sys/values.hpp"
#include "multicall/cli/shared_options.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/monitor/full_screen.hpp"
#include "multicall/monitor/stream.hpp"
#include "multicall/term/paint.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

constexpr std::size_t kPlainColumns = 120;

/// The width of the terminal on standard output; kPlainColumns if it is none.
std::size_t columns_of_output() {
  winsize size{};
  return ::ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kPlainColumns;
}

std::optional<double> seconds_of(const std::string& text) {
  const auto seconds = sys::parse_decimal(text);
  return seconds && *seconds >= 0.1 && *seconds <= 3600 ? seconds : std::nullopt;
}

int command_monitor(std::span<char*> args) {
  Options app{
      "A full screen with the lane, the tree of the running run, memory against the limits and "
      "recent runs; press ? in it for its keys. Without a terminal: one snapshot as text.",
      "onelane monitor"};
  bool as_json = false;
  bool once = false;
  double interval = 1.0;
  auto colour = Paint::When::Auto;
  app.add_flag(
      "--json", as_json,
      "print a stream of events, one JSON object per line: snapshot, enqueued, granted, started, "
      "warned, moved, left, finished, killed, orphan, held, released");
  app.add_flag("--once", once,
               "print the present state and exit; with --json, only the snapshot event");
  app.add_option_function(
         "--interval",
         [&interval](const std::string& text) { interval = seconds_of(text).value_or(interval); },
         "seconds between two looks at the processes; more if a look is expensive")
      ->type_name("N")
      ->check(must_be("a number from 0.1 to 3600",
                      [](const std::string& text) { return seconds_of(text).has_value(); }));
  add_colour(app, colour);
  app.footer(exit_codes({{1, "no project here has adopted onelane, or its lane cannot be read"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  const auto lanes = lanes_here_or_say();
  if (!lanes) {
    return 1;
  }
  if (as_json) {
    try {
      return monitor::run_stream(*lanes, once ? monitor::Until::Snapshot : monitor::Until::Told);
    } catch (const sys::SystemError& error) {
      say_always(error.what());
      return 1;
    }
  }
  if (once || ::isatty(0) != 1 || ::isatty(1) != 1) {
    return monitor::print_snapshot(*lanes, columns_of_output());
  }
  monitor::Options options;
  options.interval = std::chrono::milliseconds{static_cast<std::int64_t>(interval * 1'000)};
  options.colours = Paint{1, colour}.is_on();
  return monitor::run_full_screen(*lanes, options);
}

}  // namespace

constinit const Command verbs::monitor{"monitor",
                                       "a full-screen view of the lane; --json streams events",
                                       &command_monitor,
                                       {},
                                       Group::Look};

}  // namespace onelane::multicall
