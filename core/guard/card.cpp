#include "core/guard/card.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_set>

namespace onelane::guard {
namespace {

using nlohmann::json;

constexpr std::size_t kCommandWidth = 120;
constexpr std::size_t kNamedInLine = 4;
constexpr std::size_t kMostPoints = 4096;

std::string megabytes(std::uint64_t bytes) {
  return std::to_string((bytes + (1U << 19U)) >> 20U) + " MB";
}

std::string seconds(std::uint64_t milliseconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f s", milliseconds < 10'000 ? 1 : 0,
                static_cast<double>(milliseconds) / 1000);
  return text;
}

const Card::Process* find(const Card& card, const sys::ProcessId& id) {
  const auto found = std::ranges::find(card.tree, id, &Card::Process::id);
  return found == card.tree.end() ? nullptr : &*found;
}

/// Drops the directory of the program, which leaves more room for its arguments.
std::string shortened(const std::string& command, std::size_t width) {
  const std::size_t slash = command.substr(0, command.find(' ')).rfind('/');
  const std::string rest = slash == std::string::npos ? command : command.substr(slash + 1);
  return rest.size() > width ? rest.substr(0, width) + "..." : rest;
}

std::string named(const Card::Process& process, std::size_t width) {
  return shortened(process.command, width) + " (pid " + std::to_string(process.id.pid) + ")";
}

/// A figure with its unit, as text.
std::string amount(Unit unit, std::uint64_t figure) {
  switch (unit) {
    case Unit::Bytes:
      return megabytes(figure);
    case Unit::Milliseconds:
      return seconds(figure);
    case Unit::Count:
      break;
  }
  return std::to_string(figure);
}

std::string what_happened(const Card& card) {
  const Breach& breach = card.breach;
  const LimitRow& row = *row_of(breach.reason);
  const Card::Process* process = find(card, breach.process);
  const std::string count = std::to_string(card.count);
  const std::string limit = amount(row.unit, breach.limit);
  const Word words[] = {
      {"used", amount(row.unit, breach.used)},
      {"limit", limit},
      {"allowed", limit + (breach.limit == 1 ? " is allowed" : " are allowed")},
      {"process", process == nullptr ? "a process" : named(*process, 60)},
      {"together", count + (card.count == 1 ? " process" : " processes together")},
      {"bytes", megabytes(card.bytes)}};
  return filled(row.ended, words);
}

/// A value that would have let the run continue, with some room to spare.
std::string higher_limit(const Breach& breach) {
  const LimitRow& row = *row_of(breach.reason);
  if (row.is_floor) {
    return "0";
  }
  switch (row.unit) {
    case Unit::Bytes:
      return std::to_string((((std::max(breach.used, breach.limit) * 3 / 2) >> 20U) / 100 + 1) *
                            100);
    case Unit::Milliseconds:
      return std::to_string(std::max<std::uint64_t>(1, breach.limit * 2 / 1000));
    case Unit::Count:
      break;
  }
  return std::to_string(breach.limit * 2);
}

/// The line that would change the limit, in the syntax of the file that sets it.
std::string change_of(const Card& card) {
  const std::string value = higher_limit(card.breach);
  if (card.limit_key.empty()) {
    return "ONELANE_" + card.limit_name + "=" + value;
  }
  const bool is_toml = card.limit_place.find(".toml") != std::string::npos;
  return card.limit_key + (is_toml ? " = " : "=") + value;
}

std::string advice(const Card& card) {
  const bool in_file = !card.limit_place.empty() && card.limit_place.front() == '/';
  return card.limit_name + ": " + card.limit_place + "; to allow more: " + change_of(card) +
         (in_file                  ? " there"
          : card.limit_key.empty() ? " in .env.development or the environment"
                                   : "");
}

/// The largest processes, in tree order.
std::vector<Card::Process> tree_of(const Sample& sample) {
  std::vector<ProcessUse> largest = sample.processes;
  std::ranges::sort(largest, std::ranges::greater{}, &ProcessUse::bytes);
  largest.resize(std::min(largest.size(), Card::kMostShown));
  std::vector<Card::Process> tree;
  std::unordered_set<pid_t> placed;
  const auto place = [&](const auto& self, const ProcessUse& process) -> void {
    if (!placed.insert(process.id.pid).second) {
      return;
    }
    tree.push_back({process.id, process.parent, process.bytes,
                    sys::command_line(process.id.pid, kCommandWidth)});
    for (const ProcessUse& other : largest) {
      if (other.parent == process.id.pid) {
        self(self, other);
      }
    }
  };
  for (const ProcessUse& process : largest) {
    if (std::ranges::none_of(
            largest, [&](const ProcessUse& other) { return other.id.pid == process.parent; })) {
      place(place, process);
    }
  }
  return tree;
}

std::uint64_t number(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

pid_t pid(const json& object, const char* name) {
  return static_cast<pid_t>(std::min<std::uint64_t>(number(object, name), 0x7fffffff));
}

std::string text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

/// The name before "=" in the line that would change the limit; empty for a built-in one.
std::string key_of(const json& object, const Card& card) {
  const std::string change = text(object, "change");
  const std::string key = change.substr(0, change.find_first_of(" ="));
  return card.limit_place == "built-in" && key == "ONELANE_" + card.limit_name ? "" : key;
}

void add_tree(Card& card, const json& object) {
  const auto tree = object.find("tree");
  if (tree == object.end() || !tree->is_array()) {
    return;
  }
  for (const json& process : *tree) {
    if (process.is_object() && card.tree.size() < Card::kMostShown) {
      card.tree.push_back({{pid(process, "pid"), 0},
                           pid(process, "parent"),
                           number(process, "bytes"),
                           text(process, "command")});
    }
  }
}

void add_curve(Card& card, const json& object) {
  const auto curve = object.find("curve");
  if (curve == object.end() || !curve->is_array()) {
    return;
  }
  for (const json& point : *curve) {
    if (point.is_number_unsigned() && card.curve.size() < kMostPoints) {
      card.curve.push_back(point.get<std::uint64_t>());
    }
  }
  card.curve_step = std::chrono::milliseconds{
      std::min<std::uint64_t>(number(object, "curve_step_ms"), 86'400'000)};
}

}  // namespace

Card make_card(const Limits& limits, const Breach& breach, const Sample& sample,
               const Curve& curve) {
  Card card;
  card.breach = breach;
  card.limit_name = row_of(breach.reason)->name;
  card.limit_place = limits[breach.reason].place;
  card.limit_key = limits[breach.reason].key;
  card.tree = tree_of(sample);
  card.count = sample.processes.size();
  card.bytes = sample.bytes;
  card.curve = curve.points();
  card.curve_step = curve.step();
  return card;
}

std::array<std::string, 3> lines_of(const Card& card) {
  std::vector<Card::Process> largest = card.tree;
  std::ranges::sort(largest, std::ranges::greater{}, &Card::Process::bytes);
  std::string biggest;
  for (std::size_t i = 0; i < largest.size() && i < kNamedInLine; ++i) {
    biggest += (i == 0 ? "" : ", ") + named(largest[i], 40) + " " + megabytes(largest[i].bytes);
  }
  const auto running = std::chrono::duration_cast<std::chrono::milliseconds>(card.breach.running);
  return {card.run + ": ended: " + what_happened(card) + " (" + card.limit_name + "), after " +
              seconds(static_cast<std::uint64_t>(running.count())),
          "  " + std::to_string(card.count) + (card.count == 1 ? " process, " : " processes, ") +
              megabytes(card.bytes) + " " + sparkline(card.curve, locale_is_utf8()) +
              " largest: " + biggest,
          "  " + advice(card)};
}

std::vector<std::string> tree_lines_of(const Card& card) {
  std::vector<std::string> text;
  std::vector<pid_t> above;
  for (const Card::Process& process : card.tree) {
    while (!above.empty() && above.back() != process.parent) {
      above.pop_back();
    }
    text.push_back("  " + std::string(2 * above.size(), ' ') + std::to_string(process.id.pid) +
                   "  " + megabytes(process.bytes) + "  " + process.command);
    above.push_back(process.id.pid);
  }
  if (card.tree.size() < card.count) {
    text.push_back("  and " + std::to_string(card.count - card.tree.size()) + " smaller ones");
  }
  return text;
}

std::string json_of(const Card& card) {
  json tree = json::array();
  for (const Card::Process& process : card.tree) {
    tree.push_back({{"pid", process.id.pid},
                    {"parent", process.parent},
                    {"bytes", process.bytes},
                    {"command", process.command}});
  }
  const auto running = std::chrono::duration_cast<std::chrono::milliseconds>(card.breach.running);
  json object{{"cause", sys::word_of(card.breach.reason)},
              {"used", card.breach.used},
              {"limit", card.breach.limit},
              {"limit_name", card.limit_name},
              {"limit_place", card.limit_place},
              {"change", change_of(card)},
              {"after_ms", running.count()},
              {"pid", card.breach.process.pid},
              {"processes", card.count},
              {"bytes", card.bytes},
              {"tree", std::move(tree)},
              {"curve", card.curve},
              {"curve_step_ms", card.curve_step.count()}};
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<Card> card_of(const std::string& json_text) {
  const json object = json::parse(json_text, nullptr, false);
  const auto reason = object.is_object() ? sys::reason_of(text(object, "cause")) : std::nullopt;
  if (!reason || row_of(*reason) == nullptr) {
    return std::nullopt;
  }
  Card card;
  card.breach.reason = *reason;
  card.breach.used = number(object, "used");
  card.breach.limit = number(object, "limit");
  card.breach.process = {pid(object, "pid"), 0};
  card.breach.running = std::chrono::milliseconds{
      std::min<std::uint64_t>(number(object, "after_ms"), std::uint64_t{1} << 40U)};
  card.limit_name = text(object, "limit_name");
  card.limit_place = text(object, "limit_place");
  card.limit_key = key_of(object, card);
  card.count = number(object, "processes");
  card.bytes = number(object, "bytes");
  add_tree(card, object);
  add_curve(card, object);
  return card;
}

std::string line_of(const Warning& warning) {
  const LimitRow& row = *row_of(warning.reason);
  const pid_t pid = warning.process.pid;
  const Word words[] = {{"process", shortened(sys::command_line(pid, kCommandWidth), 60) +
                                        " (pid " + std::to_string(pid) + ")"},
                        {"used", amount(row.unit, warning.used)},
                        {"limit", amount(row.unit, warning.limit)}};
  std::string line = filled(row.warning, words) + " (" + std::string{row.name} + ")";
  if (warning.per_second >= (1U << 20U)) {
    const auto left = static_cast<double>(warning.limit - warning.used) / warning.per_second;
    line += "; at " + megabytes(static_cast<std::uint64_t>(warning.per_second)) +
            "/s the limit in " + seconds(static_cast<std::uint64_t>(left * 1000));
  }
  return line;
}

std::string sparkline(const std::vector<std::uint64_t>& numbers, bool unicode) {
  constexpr std::array kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::string_view kAscii = "_.:-=+*#";
  constexpr std::size_t kWidth = 16;
  const std::uint64_t most = numbers.empty() ? 0 : *std::ranges::max_element(numbers);
  std::string text;
  const std::size_t width = std::min(kWidth, numbers.size());
  for (std::size_t i = 0; i < width; ++i) {
    const std::size_t from = i * numbers.size() / width;
    const std::size_t to = std::max(from + 1, (i + 1) * numbers.size() / width);
    const auto at = [&](std::size_t index) {
      return numbers.begin() + static_cast<std::ptrdiff_t>(index);
    };
    const std::uint64_t value = *std::max_element(at(from), at(to));
    const std::size_t level = most == 0 ? 0 : static_cast<std::size_t>(value * 7 / most);
    text += unicode ? std::string{kBars.at(level)} : std::string(1, kAscii[level]);
  }
  return text;
}

bool locale_is_utf8() noexcept {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') {
      const std::string_view text{value};
      return text.find("UTF-8") != std::string_view::npos ||
             text.find("utf8") != std::string_view::npos;
    }
  }
  return false;
}

}  // namespace onelane::guard
