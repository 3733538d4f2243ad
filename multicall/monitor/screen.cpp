#include "multicall/monitor/screen.hpp"

#include <algorithm>

#include "multicall/monitor/head.hpp"

namespace onelane::multicall::monitor {
namespace {

using Kind = Section::Kind;

/// How many rows each list gets out of `room` lines, after the titles; 0 leaves a list out.
std::vector<std::size_t> shares_of(const std::vector<Section>& sections, std::size_t room) {
  std::vector<std::size_t> shares(sections.size(), 0);
  const auto give = [&](std::size_t i, std::size_t most) {
    const std::size_t title = shares[i] == 0 ? 1 : 0;
    const std::size_t wanted = std::min(most, sections[i].rows.size() - shares[i]);
    if (wanted > 0 && room > title) {
      const std::size_t rows = std::min(wanted, room - title);
      shares[i] += rows;
      room -= rows + title;
    }
  };
  const auto give_all = [&](Kind kind, std::size_t most) {
    for (std::size_t i = 0; i < sections.size(); ++i) {
      if (sections[i].kind == kind) {
        give(i, most);
      }
    }
  };
  // First a few lines for each, the more urgent first; then the rest in the same order.
  const std::size_t few = std::max<std::size_t>(2, room / 6);
  give_all(Kind::Processes, few);
  give_all(Kind::Queue, few);
  if (room >= 6) {
    give_all(Kind::Services, 2);
    give_all(Kind::Recent, 3);
    give_all(Kind::Kept, 2);
  }
  for (const Kind kind :
       {Kind::Beside, Kind::Processes, Kind::Queue, Kind::Services, Kind::Kept, Kind::Recent}) {
    give_all(kind, room);
  }
  return shares;
}

/// The first row to show so that the selected one is visible.
std::size_t offset_of(const Section& section, std::size_t count) {
  const auto at =
      std::ranges::find_if(section.rows, [](const Row& r) { return r.line.is_selected; });
  if (at == section.rows.end() || section.rows.size() <= count) {
    return 0;
  }
  const auto index = static_cast<std::size_t>(at - section.rows.begin());
  const std::size_t before = count / 2;
  return std::min(index - std::min(index, before), section.rows.size() - count);
}

void add_section(std::vector<Line>& out, const Section& section, std::size_t count) {
  const std::size_t offset = offset_of(section, count);
  Line title = section.title;
  if (count < section.rows.size()) {
    title.add("  " + std::to_string(offset + 1) + "-" + std::to_string(offset + count) + " of " +
                  std::to_string(section.rows.size()),
              Style::Dim);
  }
  out.push_back(std::move(title));
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(section.rows[offset + i].line);
  }
}

std::vector<Line> help_lines() {
  std::vector<Line> out;
  for (const char* text :
       {"arrows, PgUp, PgDn, Home, End   select a row; Esc selects none",
        "s   sort processes: start, memory, cpu, age", "t   tree or one list",
        "/   filter by a part of the command (Enter keeps it, Esc drops it)",
        "k   end the run, or the selected service (asks)", "c   cancel the selected ticket (asks)",
        "b   move the selected ticket to the front", "h   hold the lane, or release it (asks)",
        "Ctrl-L  draw anew     Ctrl-Z  suspend", "q   quit", "", "any key goes back"}) {
    out.emplace_back();
    out.back().add(text);
  }
  return out;
}

Line foot_of(const State& state, bool unicode) {
  Line line;
  if (state.mode == Mode::Ask) {
    line.add(state.question + " [y/n]", Style::Warn);
  } else if (state.mode == Mode::Filter) {
    line.add("filter: " + clean_text(state.choice.filter, unicode) + "_", Style::Bold);
  } else if (!state.message.empty()) {
    line.add(state.message, Style::Bold);
  } else {
    line.add("? help  q quit  s sort  t tree  / filter  k end  c cancel  b bump  h hold",
             Style::Dim);
    if (!state.choice.filter.empty()) {
      line.spans.insert(line.spans.begin(),
                        {"[" + clean_text(state.choice.filter, unicode) + "]  ", Style::Warn});
    }
  }
  return line;
}

}  // namespace

Screen compose(const Look& look, const State& state, const Size& size, bool unicode) {
  const Paper paper{size.columns, unicode};
  std::vector<Line> lines = head_lines(look, paper, size.rows);
  const std::size_t body = size.rows - std::min(size.rows, lines.size() + 1);
  if (state.mode == Mode::Help) {
    std::ranges::move(help_lines(), std::back_inserter(lines));
  } else {
    const auto sections = sections_of(look, state.choice, paper);
    const auto shares = shares_of(sections, body);
    for (std::size_t i = 0; i < sections.size(); ++i) {
      if (shares[i] > 0) {
        add_section(lines, sections[i], shares[i]);
      }
    }
  }
  const std::size_t above_foot = size.rows - std::min<std::size_t>(size.rows, 1);
  lines.resize(above_foot);
  if (size.rows > 0) {
    lines.push_back(foot_of(state, unicode));
  }
  Screen screen;
  for (const Line& line : lines) {
    screen.lines.push_back(clip(line, size.columns, unicode));
  }
  return screen;
}

std::vector<Line> plain_lines(const Look& look, const Paper& paper) {
  std::vector<Line> out = head_lines(look, paper, ~std::size_t{0});
  for (const Section& section : sections_of(look, {}, paper)) {
    out.emplace_back();
    add_section(out, section, section.rows.size());
  }
  return out;
}

std::vector<std::string> selectable(const Look& look, const State& state) {
  std::vector<std::string> keys;
  for (const Section& section : sections_of(look, state.choice, {})) {
    for (const Row& row : section.rows) {
      if (!row.key.empty()) {
        keys.push_back(row.key);
      }
    }
  }
  return keys;
}

}  // namespace onelane::multicall::monitor
