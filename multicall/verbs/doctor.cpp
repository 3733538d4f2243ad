#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/sys/error.hpp"
#include "core/sys/text.hpp"
#include "multicall/cli/shared_options.hpp"
#include "multicall/doctor/audit.hpp"
#include "multicall/doctor/checks.hpp"
#include "multicall/term/paint.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

using doctor::Finding;
using doctor::Level;
using nlohmann::json;

constexpr std::size_t kLongest = 1000;

struct DoctorOptions {
  bool fix = false;
  bool as_json = false;
  bool audit = false;
  Paint::When color = Paint::When::Auto;
};

std::optional<int> parse(DoctorOptions& options, std::span<char*> args) {
  Options app{
      "Look for anything that lets calls bypass the lane or keeps it from working, and say what "
      "to do about it. A note does not count as wrong.",
      "onelane doctor"};
  app.add_flag("--audit", options.audit,
               "read the project's scripts instead, and list the calls in them that bypass the "
               "lane; exits with 1 if there is one");
  app.add_flag("--fix", options.fix,
               "repair what is onelane's own: links, modes, its line in .envrc")
      ->excludes("--audit");
  app.add_flag("--json", options.as_json, "one JSON object: schema, findings, …");
  add_colour(app, options.color);
  app.footer(exit_codes(
      {{0, "nothing is wrong"},
       {1, "something is, or a call bypasses the lane, or the audit could not read everything"}}));
  return parse_words(app, args);
}

std::string clean(std::string_view text) {
  return sys::printable(text, kLongest);
}

std::string painted(const Paint& paint, Level level) {
  std::string word{doctor::word_of(level)};
  word.resize(7, ' ');
  return level == Level::Ok     ? paint.green(word)
         : level == Level::Note ? paint.yellow(word)
                                : paint.red(word);
}

std::string line_of(const Paint& paint, const Finding& finding) {
  std::string name = finding.check;
  name.resize(10, ' ');
  std::string text = painted(paint, finding.level) + name + clean(finding.what);
  if (!finding.where.empty()) {
    text += ": " + clean(finding.where);
  }
  text += "\n";
  if (!finding.todo.empty()) {
    text += "         -> " + clean(finding.todo);
    text += finding.command.empty() ? "\n" : ": " + clean(finding.command) + "\n";
  }
  return text;
}

/// Fixes what can be fixed; a failure is reported and stays among the findings.
std::vector<std::string> mend(const std::vector<Finding>& findings) {
  std::vector<std::string> done;
  for (const Finding& finding : findings) {
    if (!finding.fix) {
      continue;
    }
    try {
      done.push_back(finding.fix());
    } catch (const std::exception& failure) {
      say_always("onelane doctor: " + clean(failure.what()));
    }
  }
  return done;
}

std::string summary(const Paint& paint, std::size_t wrong, std::size_t fixable) {
  if (wrong == 0) {
    return paint.green("nothing is wrong") + "\n";
  }
  return paint.red(counted(wrong, "thing is wrong", "things are wrong")) +
         (fixable == 0 ? "\n" : fmt::format("; onelane doctor --fix mends {}\n", fixable));
}

std::size_t count(const std::vector<Finding>& findings, Level level) {
  return static_cast<std::size_t>(std::ranges::count(findings, level, &Finding::level));
}

void print_text(const Paint& paint, const std::vector<std::string>& fixed,
                const std::vector<Finding>& findings) {
  std::string text;
  for (const std::string& line : fixed) {
    text += paint.green("fixed  ") + clean(line) + "\n";
  }
  for (const Finding& finding : findings) {
    text += line_of(paint, finding);
  }
  const auto fixable = static_cast<std::size_t>(std::ranges::count_if(
      findings, [](const Finding& f) { return f.level == Level::Wrong && f.fix; }));
  print(text + summary(paint, count(findings, Level::Wrong), fixable));
}

int examine_project(const DoctorOptions& options) {
  std::vector<Finding> findings = doctor::examine(doctor::scene_here());
  std::vector<std::string> fixed;
  if (options.fix) {
    fixed = mend(findings);
  }
  if (!fixed.empty()) {
    findings = doctor::examine(doctor::scene_here());
  }
  const std::size_t wrong = count(findings, Level::Wrong);
  if (!options.as_json) {
    print_text(Paint{1, options.color}, fixed, findings);
    return wrong == 0 ? 0 : 1;
  }
  json rows = json::array();
  for (const Finding& finding : findings) {
    rows.push_back(doctor::to_json(finding));
  }
  const json out{{"schema", 1},
                 {"wrong", wrong},
                 {"notes", count(findings, Level::Note)},
                 {"fixed", fixed},
                 {"findings", rows}};
  print_json(out);
  return wrong == 0 ? 0 : 1;
}

int command_doctor(std::span<char*> args) {
  DoctorOptions options;
  if (const auto code = parse(options, args)) {
    return *code;
  }
  return options.audit ? audit::audit_project(options.as_json, options.color)
                       : examine_project(options);
}

}  // namespace

constinit const Command verbs::doctor{
    "doctor", "what lets calls bypass the lane; --fix, --audit", &command_doctor, {}, Group::SetUp};

}  // namespace onelane::multicall
