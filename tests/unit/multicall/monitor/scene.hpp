#pragma once

#include <clocale>
#include <cstdlib>
#include <string>
#include <vector>

#include "multicall/monitor/full_screen.hpp"

namespace onelane::multicall::monitor {

/// Sets the locale that wcwidth(3) needs.
inline void use_utf8() {
  ASSERT_NE(std::setlocale(LC_CTYPE, "C.UTF-8"), nullptr);
}

inline TicketView ticket(const std::string& id, lane::State state, const std::string& command) {
  TicketView view;
  view.id = id;
  view.state = state;
  view.tool = command.substr(0, command.find(' '));
  view.command = command;
  view.user = "anna";
  view.started_wall = view.has_started() ? 1'000 : 0;
  return view;
}

inline ProcessLook process(pid_t pid, pid_t parent, int depth, const std::string& command) {
  ProcessLook look;
  look.id = {pid, static_cast<std::uint64_t>(pid)};
  look.parent = parent;
  look.depth = depth;
  look.bytes = static_cast<std::uint64_t>(pid) << 20U;
  look.command = command;
  return look;
}

/// A holder with `processes` beside the tool, and `waiting` tickets behind it.
inline Look busy_look(int processes = 3, int waiting = 2) {
  Look look;
  look.project = "shop";
  LaneLook lane;
  lane.name = "main";
  lane.view.holder = ticket("holder00000", lane::State::Running, "make test");
  for (int i = 0; i < waiting; ++i) {
    lane.view.queue.push_back(ticket("waiter0000" + std::to_string(i), lane::State::Waiting,
                                     "git commit -m " + std::to_string(i)));
  }
  look.lanes.push_back(lane);
  look.processes.push_back(process(100, 99, 0, "make test"));
  for (int i = 1; i <= processes; ++i) {
    look.processes.push_back(process(100 + i, 100, 1, "node worker " + std::to_string(i)));
  }
  look.run_curve = {1, 2, 3};
  look.machine = {std::uint64_t{16} << 30U, std::uint64_t{8} << 30U, 0};
  journal::Record record;
  record.argv = {"make", "build"};
  record.code = 0;
  look.recent = {record, record, record};
  return look;
}

inline std::string text_of(const Screen& screen) {
  std::string text;
  for (const Line& line : screen.lines) {
    text += line.text() + "\n";
  }
  return text;
}

}  // namespace onelane::multicall::monitor
