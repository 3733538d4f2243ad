#include "multicall/monitor/head.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "core/guard/card.hpp"
#include "multicall/term/words.hpp"
#include "multicall/view/overview.hpp"

namespace onelane::multicall::monitor {
namespace {

/// A curve needs two points.
std::string curve_words(const std::vector<std::uint64_t>& curve, bool unicode) {
  return left(curve.size() < 2 ? "" : guard::sparkline(curve, unicode), 17, unicode);
}

Style style_of(std::uint64_t used, std::uint64_t limit) {
  return limit == 0 || used < limit / 2 ? Style::Plain
         : used < limit / 10 * 9        ? Style::Warn
                                        : Style::Bad;
}

/// The lines above the lists.
class Head {
 public:
  Head(const Look& look, const Paper& paper) : look_{look}, paper_{paper} {}

  [[nodiscard]] Line title() const {
    Line line;
    const std::string clock = clock_words(look_.at_wall) + " ";
    const auto held = std::ranges::find_if(
        look_.lanes, [](const LaneLook& lane) { return lane.view.is_on_hold; });
    const bool is_held = held != look_.lanes.end();
    const std::string who =
        is_held && held->view.hold ? clean_text(held->view.hold->words, paper_.unicode) : "";
    const std::string name = " onelane  " + clean_text(look_.project, paper_.unicode) +
                             (is_held ? "  ON HOLD: nothing starts" : "") +
                             (who.empty() ? "" : "; " + who);
    const std::size_t room = paper_.columns - std::min(paper_.columns, clock.size());
    line.add(left(name, room, paper_.unicode) + clock, Style::Bar);
    return line;
  }

  [[nodiscard]] Line run_of(const LaneLook& lane) const {
    Line line;
    line.add(left(lane.name == "main" ? "run" : lane.name, 8, paper_.unicode), Style::Name);
    if (!lane.view.holder) {
      const std::string trouble = lane.view.is_holder_unknown
                                      ? std::string{kHolderUnknown}
                                      : clean_text(look_.trouble, paper_.unicode);
      line.add(trouble.empty() ? "none" : trouble, trouble.empty() ? Style::Dim : Style::Bad);
      return line;
    }
    const TicketView& holder = *lane.view.holder;
    const std::string command =
        clean_text(holder.command.empty() ? holder.tool : holder.command, paper_.unicode);
    const std::size_t room = paper_.columns < 60 ? 18 : paper_.columns - 8 - 45;
    line.add(clip(command, room, paper_.unicode), Style::Bold);
    line.add("  " + duration_words(holder.running) +
                 (holder.usual ? " of ~" + duration_words(*holder.usual) : ""),
             holder.is_overdue ? Style::Warn : Style::Good);
    if (holder.is_stopped) {
      line.add("  stopped", Style::Warn);
    }
    line.add(holder.is_here ? fmt::format("  pid {}", holder.supervisor.pid)
                            : "  in another container");
    line.add(fmt::format("  {}  {}", clean_text(who(holder), paper_.unicode), holder.id),
             Style::Dim);
    return line;
  }

  [[nodiscard]] Line memory() const {
    Line line;
    std::uint64_t sum = 0;
    std::uint64_t largest = 0;
    for (const ProcessLook& process : look_.processes) {
      sum += process.bytes;
      largest = std::max(largest, process.bytes);
    }
    line.add("memory  ", Style::Name);
    if (look_.processes.empty()) {
      line.add("-", Style::Dim);
      return line;
    }
    const std::uint64_t most = look_.limits[sys::Reason::TreeMemory].value;
    const std::uint64_t most_of_one = look_.limits[sys::Reason::Memory].value;
    const std::uint64_t most_processes = look_.limits[sys::Reason::Processes].value;
    line.add(left(share_words(sum, most), 16, paper_.unicode) + " ", style_of(sum, most));
    line.add(curve_words(look_.run_curve, paper_.unicode), Style::Good);
    line.add("largest " + share_words(largest, most_of_one), style_of(largest, most_of_one));
    line.add(fmt::format("  {}{} procs", look_.processes.size(),
                         most_processes == 0 ? "" : fmt::format("/{}", most_processes)));
    return line;
  }

  [[nodiscard]] Line machine() const {
    Line line;
    const std::uint64_t used =
        look_.machine.total - std::min(look_.machine.total, look_.machine.available);
    line.add("machine ", Style::Name);
    line.add(left(share_words(used, look_.machine.total), 16, paper_.unicode) + " ",
             style_of(used, look_.machine.total));
    line.add(curve_words(look_.machine_curve, paper_.unicode), Style::Good);
    line.add(fmt::format("load {} on {}", decimal(look_.load), look_.processors));
    if (look_.pressure) {
      line.add("  pressure " + decimal(*look_.pressure) + " %",
               *look_.pressure >= 10 ? Style::Bad : Style::Plain);
    }
    if (look_.machine.swapped > 0) {
      line.add("  swap " + size_words(look_.machine.swapped));
    }
    return line;
  }

  /// As much as fits on a screen of `rows`: the run first, the machine last.
  [[nodiscard]] std::vector<Line> lines(std::size_t rows) const {
    std::vector<Line> out{title()};
    for (const LaneLook& lane : look_.lanes) {
      out.push_back(run_of(lane));
    }
    if (look_.lanes.empty()) {
      out.push_back(run_of({"main", {}, {}}));
    }
    if (rows >= 8) {
      out.push_back(memory());
    }
    if (rows >= 14) {
      out.push_back(machine());
    }
    return out;
  }

 private:
  const Look& look_;
  const Paper& paper_;
};

}  // namespace

std::vector<Line> head_lines(const Look& look, const Paper& paper, std::size_t rows) {
  return Head{look, paper}.lines(rows);
}

}  // namespace onelane::multicall::monitor
