#include <algorithm>
#include <exception>
#include <set>

#include "core/journal/journal.hpp"
#include "core/settings/schema.hpp"
#include "core/sys/text.hpp"
#include "multicall/cli/completion.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/queue/queue_view.hpp"
#include "multicall/term/print.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/verbs/table.hpp"
#include "multicall/view/lane_view.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall {
namespace {

constexpr std::size_t kWidest = 60;
constexpr std::size_t kMostEnded = 30;  // a list to choose from, not a history

/// One line per value: the value, a tab, a description. A value that a shell would not take as one
/// plain word is left out.
class Offers {
 public:
  void add(std::string_view value, std::string_view text) {
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
    if (value.empty() || value.front() == '-' ||
        value.find_first_not_of(kPlain) != std::string_view::npos || !seen_.emplace(value).second) {
      return;
    }
    text_ += value;
    text_ += '\t';
    sys::append_printable(text_, text, kWidest);
    text_ += '\n';
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::set<std::string, std::less<>> seen_;
};

enum class Which { Running, Waiting };

void add_tickets(Offers& offers, Which which) {
  const auto lanes = lanes_here();
  if (!lanes) {
    return;
  }
  for (const lane::Table& table : lanes->tables) {
    const LaneView view = view_of(table, nullptr);
    if (which == Which::Waiting) {
      for (const TicketView& ticket : view.queue) {
        offers.add(ticket.id, "waiting: " + ticket.command);
      }
      continue;
    }
    if (view.holder) {
      offers.add(view.holder->id, "running: " + view.holder->command);
    }
    for (const TicketView& ticket : view.beside) {
      offers.add(ticket.id, "running: " + ticket.command);
    }
    for (const TicketView& ticket : view.services) {
      offers.add(ticket.id, "service: " + ticket.command);
    }
  }
}

void add_ended(Offers& offers) {
  const auto lanes = lanes_here();
  if (!lanes) {
    return;
  }
  std::size_t left = kMostEnded;
  journal::for_each(lanes->project.state_dir, journal::Order::NewestFirst,
                    [&](std::string_view line) {
                      if (const auto record = journal::parse(line)) {
                        offers.add(record->id, "ended: " + journal::command_text(*record));
                        --left;
                      }
                      return left > 0;
                    });
}

void add_entries(Offers& offers) {
  const auto lanes = lanes_here();
  if (!lanes) {
    return;
  }
  for (const queue::Entry& entry : queue::Store{lanes->project.state_dir}.read().entries) {
    offers.add(std::to_string(entry.id),
               std::string{queue::word_of(entry.state)} + ": " + command_of(entry));
  }
}

void add_tools(Offers& offers) {
  for (const shims::Shim& shim : shims::all_shims()) {
    offers.add(shim.name, "built in");
  }
  if (const auto lanes = lanes_here()) {
    for (const auto& [name, tool] : lanes->settings.tools) {
      offers.add(name, "of this project");
    }
  }
}

void add_topics(Offers& offers) {
  for (const Command* command : all_commands()) {
    if (command->group != Group::Hidden) {
      offers.add(command->name, command->summary);
    }
  }
}

void add_settings(Offers& offers) {
  for (const settings::Field& field : settings::all_fields()) {
    offers.add(field.name, field.meaning);
  }
}

void add(Offers& offers, std::string_view what) {
  if (what == "running" || what == "ids") {
    add_tickets(offers, Which::Running);
  }
  if (what == "waiting" || what == "ids") {
    add_tickets(offers, Which::Waiting);
  }
  if (what == "ids") {
    add_ended(offers);
  } else if (what == "entries") {
    add_entries(offers);
  } else if (what == "tools") {
    add_tools(offers);
  } else if (what == "topics") {
    add_topics(offers);
  }
  if (what == "settings" || what == "topics") {
    add_settings(offers);
  }
}

int command_complete(std::span<char*> args) {
  Options app{
      "Print the values that a shell offers, one per line: the value, a tab, a description. "
      "Outside a project, or if the lane cannot be read, fewer or none.",
      "onelane __complete"};
  std::string what;
  app.add_option("WHAT", what, "ids, running, waiting, entries, tools, settings or topics")
      ->required();
  app.footer(exit_codes({}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  Offers offers;
  try {
    add(offers, what);
  } catch (const std::exception&) {  // a prompt is no place for an error message
  }
  print(offers.text());
  return 0;
}

int command_completion(std::span<char*> args) {
  Options app{
      "Print the completion script for a shell: source it, or put it where the shell "
      "looks for such scripts (`cmake --install` does).",
      "onelane completion"};
  std::string shell;
  app.add_option("SHELL", shell, "the shell")->required()->check(one_of({"bash", "fish", "zsh"}));
  app.footer(exit_codes({}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  const std::vector<Verb> tree = collect_tree(all_commands());
  print(shell == "bash"  ? bash_completion(tree)
        : shell == "zsh" ? zsh_completion(tree)
                         : fish_completion(tree));
  return 0;
}

}  // namespace

constinit const Command verbs::complete{
    "__complete", "values for the shell's completion", &command_complete, {}, Group::Hidden};

constinit const Command verbs::completion{
    "completion", "print the completion script for a shell", &command_completion, {}, Group::SetUp};

}  // namespace onelane::multicall
