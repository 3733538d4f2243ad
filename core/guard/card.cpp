#include "core/guard/card.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_set>

namespace onelane::guard {
namespace {

constexpr std::size_t kCommandWidth = 120;
constexpr std::size_t kNamedInLine = 4;

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

/// Without the directory of the program, which leaves more room for what it was called with.
std::string shortened(const std::string& command, std::size_t width) {
  const std::size_t slash = command.substr(0, command.find(' ')).rfind('/');
  const std::string rest = slash == std::string::npos ? command : command.substr(slash + 1);
  return rest.size() > width ? rest.substr(0, width) + "..." : rest;
}

std::string named(const Card::Process& process, std::size_t width) {
  return shortened(process.command, width) + " (pid " + std::to_string(process.id.pid) + ")";
}

std::string what_happened(const Card& card) {
  const Breach& breach = card.breach;
  switch (breach.cause) {
    case Cause::Memory: {
      const Card::Process* process = find(card, breach.process);
      return (process == nullptr ? std::string{"a process"} : named(*process, 60)) + " used " +
             megabytes(breach.used) + " of " + megabytes(breach.limit);
    }
    case Cause::TreeMemory:
      return std::to_string(card.count) +
             (card.count == 1 ? " process used " : " processes together used ") +
             megabytes(breach.used) + " of " + megabytes(breach.limit);
    case Cause::Processes:
      return std::to_string(breach.used) + " processes, " + std::to_string(breach.limit) +
             (breach.limit == 1 ? " is allowed" : " are allowed");
    case Cause::Timeout:
    case Cause::PipelineTimeout:
      return "ran for more than " + seconds(breach.limit);
    case Cause::Idle:
      return "no processor time and no input or output for " + seconds(breach.used);
    case Cause::Reserve:
      return "only " + megabytes(breach.used) +
             " of memory left on this machine, and this run has " + megabytes(card.bytes);
  }
  return {};
}

/// A value that would have let the run go on, with some room.
std::string higher_limit(const Breach& breach) {
  switch (breach.cause) {
    case Cause::Memory:
    case Cause::TreeMemory:
      return std::to_string((((std::max(breach.used, breach.limit) * 3 / 2) >> 20U) / 100 + 1) *
                            100);
    case Cause::Processes:
      return std::to_string(breach.limit * 2);
    case Cause::Timeout:
    case Cause::PipelineTimeout:
    case Cause::Idle:
      return std::to_string(std::max<std::uint64_t>(1, breach.limit * 2 / 1000));
    case Cause::Reserve:
      return "0";
  }
  return "0";
}

/// The line that would change the limit, as it is written where the limit was set.
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

const Limit<std::uint64_t>* size_limit(const Limits& limits, Cause cause) {
  switch (cause) {
    case Cause::Memory:
      return &limits.memory;
    case Cause::TreeMemory:
      return &limits.tree_memory;
    case Cause::Processes:
      return &limits.processes;
    case Cause::Reserve:
      return &limits.reserve;
    default:
      return nullptr;
  }
}

const Limit<std::chrono::milliseconds>& time_limit(const Limits& limits, Cause cause) {
  return cause == Cause::Timeout           ? limits.timeout
         : cause == Cause::PipelineTimeout ? limits.pipeline_timeout
                                           : limits.idle;
}

/// The largest, in the order of a tree.
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

}  // namespace

Card make_card(const Limits& limits, const Breach& breach, const Sample& sample,
               const Curve& curve) {
  Card card;
  card.breach = breach;
  if (const auto* limit = size_limit(limits, breach.cause)) {
    card.limit_name = limit->name;
    card.limit_place = limit->place;
    card.limit_key = limit->key;
  } else {
    const auto& time = time_limit(limits, breach.cause);
    card.limit_name = time.name;
    card.limit_place = time.place;
    card.limit_key = time.key;
  }
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
  using nlohmann::json;
  json tree = json::array();
  for (const Card::Process& process : card.tree) {
    tree.push_back({{"pid", process.id.pid},
                    {"parent", process.parent},
                    {"bytes", process.bytes},
                    {"command", process.command}});
  }
  const auto running = std::chrono::duration_cast<std::chrono::milliseconds>(card.breach.running);
  json object{{"cause", word_of(card.breach.cause)},
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

std::string line_of(const Warning& warning, const Limits& limits) {
  const bool one = warning.cause == Cause::Memory;
  std::string line = one ? shortened(sys::command_line(warning.process.pid, kCommandWidth), 60) +
                               " (pid " + std::to_string(warning.process.pid) + ") uses "
                         : std::string{"its processes together use "};
  line += megabytes(warning.used) + " of " + megabytes(warning.limit) + " (" +
          (one ? limits.memory.name : limits.tree_memory.name) + ")";
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
