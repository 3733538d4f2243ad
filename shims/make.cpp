#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "shims/args.hpp"
#include "shims/policies.hpp"

namespace onelane::shims {
namespace {

// GNU Make's long options: needed because it accepts each of them abbreviated.
constexpr auto kMakeLongs = std::to_array<std::string_view>({"always-make",
                                                             "assume-new=",
                                                             "assume-old=",
                                                             "check-symlink-times",
                                                             "debug",
                                                             "directory=",
                                                             "dry-run",
                                                             "environment-overrides",
                                                             "eval=",
                                                             "file=",
                                                             "help",
                                                             "ignore-errors",
                                                             "include-dir=",
                                                             "jobs#",
                                                             "just-print",
                                                             "keep-going",
                                                             "load-average#",
                                                             "makefile=",
                                                             "max-load#",
                                                             "new-file=",
                                                             "no-builtin-rules",
                                                             "no-builtin-variables",
                                                             "no-keep-going",
                                                             "no-print-directory",
                                                             "no-silent",
                                                             "old-file=",
                                                             "output-sync",
                                                             "print-data-base",
                                                             "print-directory",
                                                             "question",
                                                             "quiet",
                                                             "recon",
                                                             "shuffle",
                                                             "silent",
                                                             "stop",
                                                             "touch",
                                                             "trace",
                                                             "version",
                                                             "warn-undefined-variables",
                                                             "what-if="});
constexpr Syntax kMakeSyntax{.shorts = "C:f:I:o:W:E:j#l#O?", .longs = kMakeLongs};

bool runs_no_recipe(const Options& options) {
  return options.has_any("nq", {"just-print", "dry-run", "recon", "question"});
}

/// Parses the words of MAKEFLAGS like make itself: a first word without a dash is a bundle of
/// option letters, and variables follow `--`.
bool flags_run_no_recipe(const std::string& flags) {
  std::vector<std::string> words;
  for (std::size_t at = 0; (at = flags.find_first_not_of(' ', at)) != std::string::npos;) {
    const auto end = std::min(flags.find(' ', at), flags.size());
    words.push_back(flags.substr(at, end - at));
    at = end;
  }
  if (words.empty()) {
    return false;
  }
  if (words.front().front() != '-' && words.front().find('=') == std::string::npos) {
    words.front().insert(0, 1, '-');
  }
  const std::vector<std::string_view> views{words.begin(), words.end()};
  return runs_no_recipe(Options{views, kMakeSyntax});
}

std::vector<std::string_view> goals_of(const Options& options) {
  std::vector<std::string_view> goals;
  for (const std::string_view word : options.operands()) {
    if (!word.empty() && word.find('=') == std::string_view::npos) {
      goals.push_back(word);
    }
  }
  return goals;
}

bool reads_makefile_from_input(const Options& options) {
  return std::ranges::any_of(options.words(), [](const Options::Word& word) {
    const bool names_file = word.letter == 'f' || word.name == "file" || word.name == "makefile";
    return names_file && word.value == "-";
  });
}

}  // namespace

Decision classify_make(Args args, const Facts& facts) {
  const Options options{args, kMakeSyntax};
  if (options.has_any("vh", {"version", "help"})) {
    return {.cls = Class::Pass, .reason = "make: answers about itself"};
  }
  if (runs_no_recipe(options)) {
    return {.cls = Class::Pass, .reason = "make: prints or asks, runs no recipe"};
  }
  if (std::ranges::find(args, "__BASH_MAKE_COMPLETION__=1") != args.end()) {
    return {.cls = Class::Pass, .reason = "make: asked by the shell's completion"};
  }
  for (const std::string_view name : {"MAKEFLAGS", "GNUMAKEFLAGS"}) {
    if (const auto flags = facts.environment(name); flags && flags_run_no_recipe(*flags)) {
      return {.cls = Class::Pass, .reason = "make: MAKEFLAGS says to run no recipe"};
    }
  }
  const auto goals = goals_of(options);
  const bool builds = goals.empty() || std::ranges::any_of(goals, [](std::string_view goal) {
                        return one_of(goal, {"all", "build", "check", "test"});
                      });
  return {.cls = Class::Lane,
          .reason = builds ? "make: builds or tests" : "make: runs recipes",
          .passes_below_service = !builds,
          .reads_input = reads_makefile_from_input(options)};
}

const Syntax& make_syntax() {
  return kMakeSyntax;
}

Target target_make(Args args) {
  Target target;
  const Options options{args, kMakeSyntax};
  for (const Options::Word& word : options.words()) {
    if ((word.letter == 'C' || word.name == "directory") && !word.value.empty()) {
      target.directories.emplace_back(word.value);
    }
  }
  return target;
}

std::vector<std::string_view> make_goals_of(Args args) {
  return goals_of(Options{args, kMakeSyntax});
}

}  // namespace onelane::shims
