#include <sys/stat.h>

#include "core/lane/gate_holder.hpp"
#include "core/lane/table.hpp"
#include "core/sys/process.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/doctor/checks.hpp"
#include "multicall/term/words.hpp"
#include "multicall/view/lane_view.hpp"

namespace onelane::multicall::doctor {
namespace {

/// A hold that made a call wait longer than this has probably been forgotten.
constexpr std::chrono::minutes kLongHold{10};

void tell_stopped(const std::string& what, pid_t pid, Findings& out) {
  out.wrong(
      {.what = what + " is stopped (pid " + std::to_string(pid) + "), and all other calls wait",
       .todo = "continue it (`fg` in its terminal), or end it (`onelane stop`)",
       .command = "kill -CONT " + std::to_string(pid)});
}

void look_at_tickets(const LaneView& view, Findings& out) {
  if (view.holder && sys::is_stopped(view.holder->supervisor)) {
    // The whole job is stopped, as by Ctrl-Z; continuing onelane continues the tool.
    tell_stopped("the holder, " + view.holder->command + ",", view.holder->supervisor.pid, out);
  } else if (view.holder && view.holder->is_stopped) {
    tell_stopped("the tool of the holder, " + view.holder->command + ",",
                 view.holder->tool_process.pid, out);
  }
  std::chrono::nanoseconds longest{};
  for (const TicketView& ticket : view.queue) {
    longest = std::max(longest, ticket.waited);
    if (ticket.state == lane::State::Granted && ticket.is_stopped) {
      tell_stopped("the call whose turn it is, " + ticket.command + ",", ticket.supervisor.pid,
                   out);
    }
  }
  if (view.is_on_hold && longest >= kLongHold) {
    out.wrong({.what = "the lane is on hold, and a call has waited for " + duration_words(longest),
               .todo = "release it",
               .command = "onelane release"});
  } else if (view.is_on_hold) {
    out.note({.what = "the lane is on hold: nothing starts",
              .todo = "release it when that is over",
              .command = "onelane release"});
  }
}

/// True if the header of the file is not one that a run writes. Reads again in case it met a
/// writer; a file that was never written to is empty.
bool is_head_damaged(const lane::Table& table) {
  struct stat info {};
  for (int look = 0; look < 100; ++look) {
    if ((::fstat(table.fd(), &info) == 0 && info.st_size == 0) || table.header().checksum != 0) {
      return false;
    }
  }
  return true;
}

/// Reports something other than a regular file under a file's name: no call can open it, so all of
/// them run without the lane.
bool tell_odd(const std::string& path, const std::string& name, Findings& out) {
  const std::string kind{odd_kind(path)};
  if (!kind.empty()) {
    out.wrong({.what = "the " + name + " is " + kind + ", and no call can use that",
               .where = path,
               .todo = "see who put it there, then remove it",
               .command = (kind == "a directory" ? "rmdir " : "rm ") + shell_word(path)});
  }
  return !kind.empty();
}

void look_at_table(const lane::Table& table, Findings& out) {
  const LaneView view = view_of(table, nullptr);
  if (view.is_torn || is_head_damaged(table)) {
    out.wrong({.what = "the lane file is damaged: new calls do not see those that wait in it",
               .where = table.path(),
               .todo = "when nothing runs or waits here, remove it; the next run makes a new one",
               .command = "rm " + shell_word(table.path())});
  }
  look_at_tickets(view, out);
}

}  // namespace

void look_at_lane(const Scene& scene, Findings& out) {
  const LanesHere lanes = lanes_of(scene.placed, scene.loaded.settings);
  for (const lane::Table& table : lanes.tables) {
    look_at_table(table, out);
  }
  bool is_odd = false;
  for (const char* name : {"/lane", "/git/lane"}) {
    is_odd = tell_odd(scene.placed.state_dir + name, "lane file", out) || is_odd;
  }
  if (lanes.unreadable && !is_odd) {
    out.wrong({.what = "the lane file cannot be opened: " + lanes.unreadable->code().message(),
               .where = scene.placed.state_dir,
               .todo = "only its owner can open another user's lane"});
  }
  if (out.empty()) {
    out.ok(lanes.tables.empty() ? "no run has been here yet" : "nothing blocks it");
  }
}

void look_at_gate(const Scene& scene, Findings& out) {
  for (const char* name : {"/gate", "/git/gate"}) {
    const std::string path = scene.placed.state_dir + name;
    if (tell_odd(path, "gate", out)) {
      continue;
    }
    const std::string lane = path.substr(0, path.size() - std::string_view{"gate"}.size()) + "lane";
    const auto table = lane::Table::open_existing(lane);
    const auto holder = table ? lane::find_gate_holder(*table) : std::nullopt;
    if (!holder) {
      continue;
    }
    out.wrong({.what = "the gate is held by " + words_of(*holder) + ": no call can queue or start",
               .where = path,
               .todo = holder->is_stopped  ? "continue it"
                       : holder->is_frozen ? "thaw its container"
                                           : "see what it waits for",
               .command = holder->is_stopped ? "kill -CONT " + std::to_string(holder->pid)
                                             : std::string{}});
  }
  if (out.empty()) {
    out.ok("free");
  }
}

}  // namespace onelane::multicall::doctor
