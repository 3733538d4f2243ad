#include "multicall/monitor/rows.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <tuple>
#include <unordered_map>

#include "core/sys/process.hpp"
#include "multicall/term/words.hpp"
#include "multicall/view/lane_view.hpp"
#include "multicall/view/overview.hpp"
#include "multicall/view/run_view.hpp"

namespace onelane::multicall::monitor {
namespace {

using std::chrono::milliseconds;

/// When it ended; blanks of the same width if its end was not recorded.
std::string end_words(const journal::Record& record) {
  return record.ended_wall_ms == 0 ? std::string(8, ' ') : clock_words(record.ended_wall_ms / 1000);
}

constexpr std::string_view kTicketKey = "ticket ";

std::string base_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

/// Builds the lists.
class Lister {
 public:
  Lister(const Look& look, const Choice& choice, const Paper& paper)
      : look_{look}, choice_{choice}, paper_{paper} {}

  std::vector<Section> run() {
    for (const LaneLook& lane : look_.lanes) {
      add_beside(lane);
      add_queue(lane);
    }
    add_processes();
    add_services();
    add_kept();
    add_recent();
    return std::move(out_);
  }

 private:
  void begin(Section::Kind kind, const std::string& title) {
    Section section;
    section.kind = kind;
    section.title.add(title, Style::Name);
    out_.push_back(std::move(section));
  }
  void end() {
    if (out_.back().rows.empty()) {
      out_.pop_back();
    }
  }
  Row& add_row(std::string key) {
    Row row;
    row.key = std::move(key);
    row.line.is_selected = !row.key.empty() && row.key == choice_.selected;
    out_.back().rows.push_back(std::move(row));
    return out_.back().rows.back();
  }
  [[nodiscard]] std::string clean(std::string_view text) const {
    return clean_text(text, paper_.unicode);
  }
  [[nodiscard]] bool is_wide() const { return paper_.columns >= 100; }
  [[nodiscard]] bool is_narrow() const { return paper_.columns < 60; }
  /// The columns left beside `taken`, at least enough to tell commands apart.
  [[nodiscard]] std::size_t room(std::size_t taken) const {
    return std::max<std::size_t>(12, paper_.columns - std::min(paper_.columns, taken));
  }
  [[nodiscard]] std::string usual_start(const TicketView& ticket) const {
    if (ticket.state != lane::State::Waiting) {
      return std::string{word_of(ticket.state)};
    }
    const auto eta = ticket.eta;
    if (!eta) {
      return "";
    }
    return *eta < milliseconds{1'000} && ticket.is_overdue ? "overdue" : "~" + duration_words(*eta);
  }

  void add_beside(const LaneLook& lane) {
    begin(Section::Kind::Beside, "same pipeline as the run");
    for (const TicketView& ticket : lane.view.beside) {
      add_run(ticket);
    }
    end();
  }

  /// A run that is not the holder.
  void add_run(const TicketView& ticket) {
    Line& line = add_row(std::string{kTicketKey} + ticket.id).line;
    line.add(right(ticket.is_here ? std::to_string(ticket.supervisor.pid) : "-", 7) + "  ");
    line.add(left(clean(ticket.command), room(40), paper_.unicode) + " ");
    line.add(clean(who(ticket)) + ", for " + duration_words(ticket.running), Style::Dim);
  }

  void add_queue(const LaneLook& lane) {
    const std::size_t count = lane.view.queue.size();
    begin(Section::Kind::Queue,
          fmt::format("{}  {} waiting", lane.name == "main" ? "queue" : "queue of " + lane.name,
                      count));
    std::size_t position = 0;
    for (const TicketView& ticket : lane.view.queue) {
      ++position;
      const std::string command = clean(ticket.command.empty() ? ticket.tool : ticket.command);
      if (!has_part(command, choice_.filter)) {
        continue;
      }
      Line& line = add_row(std::string{kTicketKey} + ticket.id).line;
      line.add(right(fmt::format("{}.", position), 4) + " ", Style::Bold);
      const std::size_t who_width = is_wide() ? 22 : is_narrow() ? 0 : 20;
      const std::size_t taken = 5 + who_width + 18 + (is_wide() ? 13 : 0) + (is_narrow() ? 0 : 8);
      line.add(left(command, room(taken), paper_.unicode) + " ");
      if (is_wide()) {
        line.add(left(ticket.id, 12, paper_.unicode) + " ", Style::Dim);
      }
      if (!is_narrow()) {
        line.add(left(clean(who(ticket)), who_width, paper_.unicode) + " ", Style::Dim);
        line.add(left(ticket.priority == 0 ? "" : fmt::format("prio {}", ticket.priority), 8,
                      paper_.unicode));
      }
      line.add(right(duration_words(ticket.waited), 7) + " ");
      line.add(right(ticket.is_stopped ? "stopped" : usual_start(ticket), 8),
               ticket.is_stopped || ticket.is_overdue ? Style::Warn : Style::Good);
    }
    end();
  }

  [[nodiscard]] Style style_of(std::uint64_t bytes) const {
    const std::uint64_t limit = look_.limits[sys::Reason::Memory].value;
    return limit == 0 || bytes < limit / 2 ? Style::Plain
           : bytes < limit / 10 * 9        ? Style::Warn
                                           : Style::Bad;
  }

  void add_processes() {
    begin(Section::Kind::Processes, is_narrow() ? "    PID     MEM  CPU% COMMAND"
                                                : "    PID      MEM   CPU%     AGE  COMMAND");
    if (choice_.sort != Sort::Start) {
      out_.back().title.add("  by " + std::string{name_of(choice_.sort)}, Style::Warn);
    }
    for (const Branch& branch : branches_of(look_.processes, choice_, paper_.unicode)) {
      const ProcessLook& process = *branch.process;
      Line& line = add_row(fmt::format("process {} {}", process.id.pid, process.id.start)).line;
      line.add(right(std::to_string(process.id.pid), 7));
      line.add(right(size_words(process.bytes), is_narrow() ? 8 : 9), style_of(process.bytes));
      line.add(right(decimal(process.cpu), is_narrow() ? 6 : 7),
               process.cpu >= 50 ? Style::Bold : Style::Plain);
      if (!is_narrow()) {
        line.add(right(duration_words(process.age), 8) + " ");
      }
      line.add(" " + branch.prefix, Style::Dim);
      const bool is_stopped = sys::is_stop_state(process.state);
      const char* const note = is_stopped ? "[stopped] " : process.state == 'Z' ? "[ended] " : "";
      line.add(note, Style::Warn);
      line.add(clean(process.command));
    }
    end();
  }

  void add_services() {
    begin(Section::Kind::Services, "services");
    for (const LaneLook& lane : look_.lanes) {
      for (const TicketView& ticket : lane.view.services) {
        add_run(ticket);
      }
    }
    end();
  }

  void add_kept() {
    begin(Section::Kind::Kept, "kept (left running on purpose)");
    for (const LaneLook& lane : look_.lanes) {
      for (const lane::Kept& kept : lane.view.kept) {
        Line& line = add_row({}).line;
        line.add(right(std::to_string(kept.pid), 7) + "  ");
        line.add(clean(kept.name.data()));
        line.add("  by run " + clean(lane::view(kept.run_id)), Style::Dim);
      }
    }
    end();
  }

  static std::string outcome_of(const journal::Record& record) {
    if (record.reason == journal::Reason::Exited) {
      return record.code.value_or(0) == 0 ? "ok" : fmt::format("exit {}", *record.code);
    }
    return record.reason == journal::Reason::Signalled
               ? fmt::format("signal {}", record.signal)
               : std::string{journal::word_of(record.reason)};
  }

  void add_recent() {
    begin(Section::Kind::Recent, "recent runs");
    for (const journal::Record& record : look_.recent) {
      Line& line = add_row({}).line;
      const std::string outcome = outcome_of(record);
      line.add(" " + (is_narrow() ? "" : end_words(record) + " "), Style::Dim);
      line.add(left(outcome, is_narrow() ? 9 : 12, false) + " ",
               outcome == "ok"                            ? Style::Good
               : record.reason == journal::Reason::Exited ? Style::Warn
                                                          : Style::Bad);
      const std::size_t taken = is_narrow() ? 19 : 50;
      line.add(left(clean(journal::command_text(record)), room(taken), paper_.unicode) + " ");
      line.add(right(took_words(record), 7));
      if (!is_narrow()) {
        line.add(right(size_words(record.peak_tree_kb << 10U), 9) + "  ");
        line.add(clean(base_of(record.user)), Style::Dim);
      }
    }
    end();
  }

  const Look& look_;
  const Choice& choice_;
  const Paper& paper_;
  std::vector<Section> out_;
};

bool goes_before(const ProcessLook& a, const ProcessLook& b, Sort sort) {
  switch (sort) {
    case Sort::Memory:
      return a.bytes > b.bytes;
    case Sort::Cpu:
      return a.cpu > b.cpu;
    case Sort::Age:
      return a.age > b.age;
    case Sort::Start:
      break;
  }
  return std::tie(a.id.start, a.id.pid) < std::tie(b.id.start, b.id.pid);
}

/// One walk through the tree.
class Walk {
 public:
  Walk(const std::vector<ProcessLook>& processes, const Choice& choice, bool unicode)
      : processes_{processes}, choice_{choice}, unicode_{unicode} {
    std::unordered_map<pid_t, std::size_t> at;
    for (std::size_t i = 0; i < processes.size(); ++i) {
      at.emplace(processes[i].id.pid, i);
    }
    children_.resize(processes.size());
    wanted_.resize(processes.size());
    for (std::size_t i = 0; i < processes.size(); ++i) {
      const auto parent = at.find(processes[i].parent);
      const bool is_below = parent != at.end() && parent->second != i && processes[i].depth > 0;
      (is_below ? children_[parent->second] : roots_).push_back(i);
      wanted_[i] = has_part(processes[i].command, choice.filter);
    }
    // Parents come first, so walking from the end lets a wanted child keep all its ancestors.
    for (std::size_t i = processes.size(); i-- > 0;) {
      wanted_[i] = wanted_[i] || std::ranges::any_of(children_[i], [this](std::size_t child) {
                     return wanted_[child];
                   });
    }
  }

  std::vector<Branch> run() {
    add(roots_, "", false);
    return std::move(out_);
  }

 private:
  // descendants_of() does not limit the depth, so this does.
  static constexpr std::size_t kDeepest = 3 * 64;

  void add(std::vector<std::size_t>& siblings, const std::string& indent, bool is_below) {
    std::erase_if(siblings, [this](std::size_t i) { return !wanted_[i]; });
    std::ranges::stable_sort(siblings, [this](std::size_t a, std::size_t b) {
      return goes_before(processes_[a], processes_[b], choice_.sort);
    });
    for (const std::size_t i : siblings) {
      const bool is_last = i == siblings.back();
      const std::string_view turn = unicode_ ? (is_last ? "└ " : "├ ") : (is_last ? "` " : "| ");
      out_.push_back({&processes_[i], is_below ? indent + std::string{turn} : ""});
      const std::string_view beside = is_last ? "  " : unicode_ ? "│ " : "| ";
      const bool goes_on = is_below && indent.size() < kDeepest;
      add(children_[i], goes_on ? indent + std::string{beside} : indent, true);
    }
  }

  const std::vector<ProcessLook>& processes_;
  const Choice& choice_;
  const bool unicode_;
  std::vector<std::vector<std::size_t>> children_;
  std::vector<std::size_t> roots_;
  std::vector<bool> wanted_;
  std::vector<Branch> out_;
};

}  // namespace

std::string_view name_of(Sort sort) noexcept {
  switch (sort) {
    case Sort::Memory:
      return "memory";
    case Sort::Cpu:
      return "cpu";
    case Sort::Age:
      return "age";
    case Sort::Start:
      break;
  }
  return "start";
}

std::string who(const TicketView& ticket) {
  std::string text = ticket.user;
  if (!ticket.terminal.empty()) {
    text +=
        " " + (ticket.terminal.starts_with("/dev/") ? ticket.terminal.substr(5) : ticket.terminal);
  }
  return ticket.agent.empty() ? text : text + " " + ticket.agent;
}

std::string ticket_of(std::string_view key) {
  return key.starts_with(kTicketKey) ? std::string{key.substr(kTicketKey.size())} : "";
}

std::vector<Section> sections_of(const Look& look, const Choice& choice, const Paper& paper) {
  return Lister{look, choice, paper}.run();
}

bool has_part(std::string_view text, std::string_view part) {
  const auto alike = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  return part.empty() ||
         std::search(text.begin(), text.end(), part.begin(), part.end(), alike) != text.end();
}

std::vector<Branch> branches_of(const std::vector<ProcessLook>& processes, const Choice& choice,
                                bool unicode) {
  if (choice.as_tree) {
    return Walk{processes, choice, unicode}.run();
  }
  std::vector<Branch> out;
  for (const ProcessLook& process : processes) {
    if (has_part(process.command, choice.filter)) {
      out.push_back({&process, {}});
    }
  }
  std::ranges::stable_sort(out, [&](const Branch& a, const Branch& b) {
    return goes_before(*a.process, *b.process, choice.sort);
  });
  return out;
}

}  // namespace onelane::multicall::monitor
