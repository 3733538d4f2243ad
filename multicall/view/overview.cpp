#include "multicall/view/overview.hpp"

#include <fmt/core.h>

#include "core/sys/users.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall {
namespace {

using lane::State;
using nlohmann::json;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kAsksAfter{10};  ///< A hook without a prompt has ended by then.

std::int64_t in_ms(std::chrono::nanoseconds span) {
  return std::chrono::duration_cast<milliseconds>(span).count();
}

json or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(for_terminal(text));
}

json or_null(std::optional<milliseconds> span) {
  return span ? json(span->count()) : json(nullptr);
}

/// An object whose members come in the order of their names, which spares a search for each: there
/// may be a thousand tickets.
class SortedObject {
 public:
  void put(const char* name, json value) {
    members_.emplace_hint(members_.end(), name, std::move(value));
  }
  json take() && { return std::move(members_); }

 private:
  json::object_t members_;
};

json list_of(const std::vector<TicketView>& list) {
  json out = json::array();
  out.get_ref<json::array_t&>().reserve(list.size());
  for (const TicketView& ticket : list) {
    out.push_back(json_of(ticket));
  }
  return out;
}

/// Who asked, and from where; no pid for a process in another container.
std::string who(const TicketView& ticket) {
  std::string text = ticket.is_here ? fmt::format("pid {}", ticket.supervisor.pid)
                                    : std::string{"in another container"};
  text += ", run " + for_terminal(ticket.id) + ", user " + for_terminal(ticket.user);
  text += ticket.agent.empty() ? "" : ", agent " + for_terminal(ticket.agent);
  return text;
}

/// Why a ticket makes no progress; empty if nothing is wrong.
std::string trouble(const TicketView& ticket) {
  if (is_clearing(ticket)) {
    return "killed, what it left is being ended";
  }
  if (ticket.state == State::Parked) {
    return "parked (Ctrl-Z)";
  }
  if (ticket.is_supervisor_stopped) {
    return fmt::format("supervisor stopped: kill -CONT {}, or onelane steal {}",
                       ticket.supervisor.pid, for_terminal(ticket.id));
  }
  if (ticket.is_stopped) {
    return "stopped (Ctrl-Z or SIGSTOP)";
  }
  if (ticket.state == State::Cancelled) {
    return "cancelled";
  }
  if (ticket.state == State::Running && ticket.may_prompt && ticket.running > kAsksAfter) {
    const std::string_view terminal{ticket.terminal};
    return terminal.starts_with("/dev/")
               ? "in an editor or prompt on " + for_terminal(terminal.substr(5))
               : "in an editor or prompt";
  }
  return {};
}

/// Why no call makes progress, and what to do about it.
std::string gate_words(const lane::GateHolder& holder) {
  return "held by " + for_terminal(words_of(holder)) + ": no call can queue or start" +
         (holder.is_stopped ? fmt::format("; kill -CONT {} continues it", holder.pid) : "");
}

json json_of(const std::optional<lane::GateHolder>& holder) {
  if (!holder) {
    return nullptr;
  }
  const bool is_seen = holder->pid > 0;
  return {{"pid", is_seen ? json(holder->pid) : json(nullptr)},
          {"command", is_seen ? json(for_terminal(sys::command_line(holder->pid))) : json(nullptr)},
          {"stopped", holder->is_stopped},
          {"frozen", holder->is_frozen}};
}

/// Processes that a run left behind.
json json_of(const std::vector<lane::Kept>& list) {
  json out = json::array();
  for (const lane::Kept& kept : list) {
    out.push_back({{"pid", kept.pid},
                   {"name", for_terminal(kept.name.data())},
                   {"run", for_terminal(lane::view(kept.run_id))}});
  }
  return out;
}

std::string place_words(const TicketView& ticket, const Paint& paint) {
  std::string text;
  if (ticket.state == State::Granted) {
    text += ", granted";
  }
  if (ticket.priority != 0) {
    text += fmt::format(", priority {}", ticket.priority);
  }
  if (ticket.overtaken != 0) {
    text += ", overtaken " + counted(ticket.overtaken, "time", "times");
  }
  if (ticket.same_as != 0) {
    text += fmt::format(", same as #{}", ticket.same_as);
  }
  if (const std::string eta = eta_words(ticket.eta, ticket.is_overdue); !eta.empty()) {
    text += ticket.is_overdue ? ", holder " + paint.yellow(eta) : ", " + paint.cyan(eta) + " to go";
  }
  return text;
}

std::string labelled(std::string label, const std::string& line) {
  label.resize(9, ' ');
  return label + line + "\n";
}

}  // namespace

json json_of(const TicketView& ticket) {
  const bool started = ticket.has_started();
  SortedObject out;
  out.put("agent", or_null(ticket.agent));
  out.put("background", json_of(ticket.background));
  out.put("clearing", is_clearing(ticket));
  out.put("command", for_terminal(ticket.command));
  out.put("directory", for_terminal(ticket.directory));
  out.put("enqueued", ticket.enqueued_wall);
  out.put("eta_ms", or_null(ticket.eta));
  out.put("here", ticket.is_here);
  out.put("id", for_terminal(ticket.id));
  out.put("may_prompt", ticket.may_prompt);
  out.put("memory_kb", ticket.use ? json(ticket.use->bytes >> 10U) : json(nullptr));
  out.put("overdue", ticket.is_overdue);
  out.put("overtaken", ticket.overtaken);
  out.put("pid", ticket.is_here ? json(ticket.supervisor.pid) : json(nullptr));
  out.put("pipeline_of", or_null(ticket.pipeline_of));
  out.put("priority", ticket.priority);
  out.put("processes", ticket.use ? json(ticket.use->processes) : json(nullptr));
  out.put("released_ms", or_null(ticket.released));
  out.put("running_ms", started ? json(in_ms(ticket.running)) : json(nullptr));
  out.put("same_as", ticket.same_as == 0 ? json(nullptr) : json(ticket.same_as));
  out.put("started", ticket.started_wall == 0 ? json(nullptr) : json(ticket.started_wall));
  out.put("state", word_of(ticket.state));
  out.put("stopped", ticket.is_stopped);
  out.put("terminal", or_null(ticket.terminal));
  out.put("tool", for_terminal(ticket.tool));
  out.put("until", or_null(ticket.until));
  out.put("user", for_terminal(ticket.user));
  out.put("usual_ms", or_null(ticket.usual));
  out.put("waited_ms", in_ms(ticket.waited));
  return std::move(out).take();
}

json json_of(const std::optional<HoldView>& hold) {
  return hold ? json{{"by", for_terminal(hold->by)},
                     {"since_wall_ms", hold->since_wall * 1000},
                     {"reason", or_null(hold->reason)}}
              : json(nullptr);
}

json json_of(const lane::LeftPlace& place) {
  const lane::Left& left = place.left;
  return {{"id", for_terminal(lane::view(left.run_id))},
          {"user", for_terminal(sys::user_name(left.uid))},
          {"command", for_terminal(left.command.data())},
          {"priority", left.priority},
          {"rejoin_ms", place.still ? json(in_ms(*place.still)) : json(nullptr)}};
}

json json_of(const LaneView& view) {
  json left = json::array();
  for (const lane::LeftPlace& place : view.left) {
    left.push_back(json_of(place));
  }
  return {{"on_hold", view.is_on_hold},
          {"hold", json_of(view.hold)},
          {"torn", view.is_torn},
          {"holder_unknown", view.is_holder_unknown},
          {"gate", json_of(view.gate_holder)},
          {"holder", view.holder ? json_of(*view.holder) : json(nullptr)},
          {"pipeline", list_of(view.beside)},
          {"queue", list_of(view.queue)},
          {"services", list_of(view.services)},
          {"left", std::move(left)},
          {"kept", json_of(view.kept)}};
}

std::string line_of(const TicketView& ticket, const Paint& paint) {
  const std::string command = for_terminal(ticket.command);
  std::string text = (command.empty() ? "?" : paint.bold(command)) + "  (" + who(ticket);
  text += ticket.has_started() ? ", for " + duration_words(ticket.running)
                               : ", waiting " + duration_words(ticket.waited);
  text += ticket.has_started() ? "" : place_words(ticket, paint);
  text += ticket.pipeline_of.empty() ? ""
                                     : ", same pipeline as run " + for_terminal(ticket.pipeline_of);
  if (ticket.released) {
    text += ", gave the lane back after " + duration_words(*ticket.released);
  } else if (!ticket.until.empty() && ticket.has_started()) {
    text += ", until " + for_terminal(ticket.until);
  }
  const std::string wrong = trouble(ticket);
  return text + (wrong.empty() ? "" : ", " + paint.yellow(wrong)) + ")";
}

std::string figures_of(const TicketView& ticket, const Paint& paint) {
  if (!ticket.has_started()) {
    return {};
  }
  std::string text;
  if (ticket.usual) {
    const std::string usual = duration_words(*ticket.usual);
    text = ticket.is_overdue ? paint.yellow("longer than the usual " + usual) : "usually " + usual;
  }
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : " · ") + part; };
  if (ticket.use) {
    add(counted(ticket.use->processes, "process", "processes"));
    add(size_words(ticket.use->bytes));
  }
  if (ticket.started_wall > 0) {
    add("since " + clock_words(ticket.started_wall));
  }
  return text;
}

std::string line_of(const lane::LeftPlace& place, const Paint& paint) {
  const std::string command = for_terminal(place.left.command.data());
  return (command.empty() ? "?" : paint.bold(command)) + "  (run " +
         for_terminal(lane::view(place.left.run_id)) + ", user " +
         for_terminal(sys::user_name(place.left.uid)) + ", may rejoin" +
         (place.still ? " for " + duration_words(*place.still) : "") + ")";
}

std::string text_of(const LaneView& view, const Paint& paint) {
  std::string text;
  if (view.is_torn) {
    text += labelled("damaged:",
                     paint.red("a part of the lane file cannot be read: see `onelane doctor`"));
  }
  if (view.gate_holder) {
    text += labelled("gate:", paint.red(gate_words(*view.gate_holder)));
  }
  const char* none = view.is_holder_unknown ? "unknown" : "none";
  text += labelled("holder:", view.holder ? line_of(*view.holder, paint) : none);
  if (const std::string figures = view.holder ? figures_of(*view.holder, paint) : "";
      !figures.empty()) {
    text += labelled("", figures);
  }
  for (const lane::Kept& left : view.holder ? view.holder->background : std::vector<lane::Kept>{}) {
    text +=
        labelled("", fmt::format("in the background: {}  (pid {}); the lane is kept until it has "
                                 "ended",
                                 for_terminal(left.name.data()), left.pid));
  }
  for (const TicketView& ticket : view.beside) {
    text += labelled("beside:", line_of(ticket, paint));
  }
  if (view.hold) {
    text += labelled("hold:",
                     paint.yellow(view.hold->words + "; nothing starts until `onelane release`"));
  }
  std::size_t position = 0;
  for (const TicketView& ticket : view.queue) {
    text += labelled(fmt::format("{}.", ++position), line_of(ticket, paint));
  }
  for (const lane::LeftPlace& place : view.left) {
    text += labelled("left:", line_of(place, paint));
  }
  for (const TicketView& ticket : view.services) {
    text += labelled("service:", line_of(ticket, paint));
  }
  for (const lane::Kept& kept : view.kept) {
    text += labelled(
        "kept:", fmt::format("{}  (pid {}, left running by run {})", for_terminal(kept.name.data()),
                             kept.pid, for_terminal(lane::view(kept.run_id))));
  }
  return text;
}

}  // namespace onelane::multicall
