#include "multicall/audit/prefixes.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace onelane::multicall::audit {
namespace {

using List = std::span<const std::string>;

constexpr std::string_view kTransparent = "time exec builtin";

/// A command that runs the command after its options.
struct Wrapper {
  std::string_view name;
  std::string_view options_with_value;
  std::size_t own_words;  ///< How many operands come before the command: timeout's duration.
};
constexpr auto kWrappers = std::to_array<Wrapper>({
    {"cross-env", "", 0},
    {"dotenv", "-e -f", 0},
    {"ionice", "-c -n -p", 0},
    {"nice", "-n", 0},
    {"nohup", "", 0},
    {"setsid", "", 0},
    {"stdbuf", "-i -o -e", 0},
    {"timeout", "-k -s --kill-after --signal", 1},
    {"xargs", "-n -P -I -L -d -s -a -E", 0},
});

bool is_assignment(std::string_view word) {
  const std::size_t equals = word.find('=');
  return equals != std::string_view::npos && equals > 0 &&
         (std::isdigit(static_cast<unsigned char>(word.front())) == 0) &&
         std::ranges::all_of(word.substr(0, equals),
                             [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

/// Removes assignments from the front; they may take the shims off PATH, or put them back.
void read_assignments(Stripped& out) {
  while (!out.rest.empty() && is_assignment(out.rest.front())) {
    const std::string_view word = out.rest.front();
    if (word == "ONELANE=off") {
      out.switched_off = true;
    } else if (word.starts_with("PATH=")) {
      const bool keeps = word.find("$PATH") != std::string_view::npos ||
                         word.find("${PATH") != std::string_view::npos;
      out.loses_path = keeps ? std::string_view{} : "PATH=…";
    }
    out.rest = out.rest.subspan(1);
  }
}

void strip_env(Stripped& out) {
  const List before = out.rest;
  out.rest = skip_options(out.rest, "-u --unset -C --chdir -S --split-string");
  const auto options = before.first(before.size() - out.rest.size());
  for (const std::string& option : options) {
    if (option == "-i" || option == "-" || option == "--ignore-environment") {
      out.loses_path = "env -i";
    }
  }
  read_assignments(out);
}

void strip_command(Stripped& out) {
  while (!out.rest.empty() && out.rest.front().starts_with("-")) {
    if (out.rest.front() == "-p") {
      out.loses_path = "command -p";
    } else {  // -v and -V only print, and run nothing
      out.rest = {};
      return;
    }
    out.rest = out.rest.subspan(1);
  }
}

/// Removes one command that runs another from the front; false if there is none.
bool strip_one(Stripped& out) {
  const std::string_view name = base_of(out.rest.front());
  const List behind = out.rest.subspan(1);
  if (is_in(name, kTransparent)) {
    out.rest = behind;
  } else if (name == "env") {
    out.rest = behind;
    strip_env(out);
  } else if (name == "command") {
    out.rest = behind;
    strip_command(out);
  } else if (name == "sudo" || name == "doas") {
    out.loses_path = "sudo";
    out.rest = skip_options(behind, "-u -g -h -p -C -D -R -T -U --user --group");
    read_assignments(out);
  } else if (name == "direnv" && behind.size() > 1 && behind.front() == "exec") {
    out.rest = behind.subspan(2);
  } else {
    const auto* runner = std::ranges::find(kWrappers, name, &Wrapper::name);
    if (runner == kWrappers.end()) {
      return false;
    }
    out.rest = skip_options(behind, runner->options_with_value);
    out.rest = out.rest.subspan(std::min(runner->own_words, out.rest.size()));
  }
  return true;
}

}  // namespace

bool is_in(std::string_view word, std::string_view list) {
  if (word.empty()) {
    return false;
  }
  for (std::size_t at = list.find(word); at != std::string_view::npos;
       at = list.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || list[at - 1] == ' ') && (end == list.size() || list[end] == ' ')) {
      return true;
    }
  }
  return false;
}

std::string_view base_of(std::string_view word) {
  const std::size_t slash = word.rfind('/');
  return slash == std::string_view::npos ? word : word.substr(slash + 1);
}

List skip_options(List words, std::string_view with_value) {
  while (!words.empty() && words.front().starts_with("-")) {
    const std::string& option = words.front();
    if (option == "--") {
      return words.subspan(1);
    }
    const std::size_t taken = is_in(option, with_value) ? 2 : 1;
    words = words.subspan(std::min(taken, words.size()));
  }
  return words;
}

Stripped strip(List words) {
  Stripped out{.rest = words};
  read_assignments(out);
  while (!out.rest.empty() && strip_one(out)) {
    read_assignments(out);
  }
  if (!out.rest.empty()) {
    const std::string_view name = base_of(out.rest.front());
    out.in_lane = name == "seq" || name == "safe-run" || name == "onelane";
  }
  return out;
}

}  // namespace onelane::multicall::audit
