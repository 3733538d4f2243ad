#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/sys/file_descriptor.hpp"
#include "core/sys/text.hpp"
#include "multicall/doctor/checks.hpp"
#include "multicall/term/annotation.hpp"
#include "multicall/term/fence.hpp"
#include "multicall/term/print.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

using doctor::Check;
using doctor::Finding;
using doctor::Level;
using nlohmann::json;

constexpr std::size_t kLongestFinding = 1000;

/// GitHub shows no more annotations of one kind in a step.
constexpr std::size_t kMostMarks = 10;

/// The doctor's checks that must pass in a job.
constexpr auto kJobChecks = std::to_array<Check>({
    {"project", "whether a project here has adopted onelane", false, &doctor::look_at_project},
    {"path", "what the name of each tool reaches in this step", true, &doctor::look_at_path},
    {"shells", "what it reaches in new shells", true, &doctor::look_at_step_shells},
    {"links", "the links in .onelane/bin", true, &doctor::look_at_links},
    {"files", "where the lane is, and whether locks work", true, &doctor::look_at_file_system},
    {"space", "room for the lane and its journal", true, &doctor::look_at_space},
    {"owners", "owners and modes of the lane's files", true, &doctor::look_at_owners},
    {"switches", "what switches onelane off", false, &doctor::look_at_switches},
});

/// Turns the doctor's advice for a shell into what a job would do.
Finding for_job(Finding finding) {
  if (finding.check == "project") {
    finding.command = "onelane init --ci";
  } else if (finding.check == "path") {
    finding.todo = "let onelane's be the last of the set-up steps, behind whatever changes PATH";
    if (is_github_step()) {
      finding.command = "onelane ci path >> \"$GITHUB_PATH\"";
    }
  } else if (finding.check == "links" && finding.command == "onelane init") {
    finding.command = "onelane init --ci";
  } else if (finding.check == "switches" && finding.level == Level::Note) {
    finding.level = Level::Wrong;  // a job that verifies the lane does not mean to switch it off
  }
  return finding;
}

std::string printable_line(const std::string& text) {
  return sys::printable(text, kLongestFinding);
}

/// "make is found before the shim: /opt/bin -> put the shims before it: export …".
std::string sentence_of(const Finding& finding) {
  std::string text = printable_line(finding.what);
  text += finding.where.empty() ? "" : ": " + printable_line(finding.where);
  text += finding.todo.empty() ? "" : " -> " + printable_line(finding.todo);
  return text + (finding.command.empty() ? "" : ": " + printable_line(finding.command));
}

ci::Annotation annotation_of(const Finding& finding) {
  return {.kind = finding.level == Level::Wrong ? "error" : "warning",
          .title = "onelane ci verify: " + finding.check,
          .text = sentence_of(finding)};
}

/// Annotates the step; on standard error if standard output is JSON: GitHub reads both.
void mark(const std::vector<Finding>& findings, int fd) {
  std::size_t errors = 0;
  std::size_t warnings = 0;
  std::string text;
  for (const Finding& finding : findings) {
    std::size_t& count = finding.level == Level::Wrong ? errors : warnings;
    if (finding.level != Level::Ok && count++ < kMostMarks) {
      text += ci::line_of(annotation_of(finding));
    }
  }
  (void)sys::write_all(fd, text);
}

void print_lines(const std::vector<Finding>& findings, std::size_t wrong) {
  const CiFence fence;
  std::string text;
  for (const Finding& finding : findings) {
    std::string level{doctor::word_of(finding.level)};
    std::string check = finding.check;
    level.resize(7, ' ');
    check.resize(10, ' ');
    if (finding.level != Level::Ok) {
      text += level + check + sentence_of(finding) + "\n";
    }
  }
  print(text + (wrong == 0   ? "every call of this job goes through the lane\n"
                : wrong == 1 ? "1 thing is wrong\n"
                             : std::to_string(wrong) + " things are wrong\n"));
}

void print_object(const std::vector<Finding>& findings, std::size_t wrong) {
  json rows = json::array();
  for (const Finding& finding : findings) {
    rows.push_back(doctor::to_json(finding));
  }
  print_json({{"schema", 1}, {"wrong", wrong}, {"findings", rows}});
}

int command_ci_verify(std::span<char*> args) {
  Options app{
      "Fail if calls of this job would go round the lane: another tool comes before a shim in this "
      "step or in new shells, or the lane cannot be used. Put it right after the last of the "
      "set-up steps.",
      "onelane ci verify"};
  bool as_json = false;
  app.add_flag("--json", as_json, "one JSON object: schema, wrong, findings");
  app.footer(exit_codes({{0, "nothing is wrong"}, {1, "something is"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  std::vector<Finding> findings = doctor::examine(doctor::scene_here(), kJobChecks);
  std::ranges::transform(findings, findings.begin(), &for_job);
  const auto wrong =
      static_cast<std::size_t>(std::ranges::count(findings, Level::Wrong, &Finding::level));
  as_json ? print_object(findings, wrong) : print_lines(findings, wrong);
  if (is_github_step()) {
    mark(findings, as_json ? 2 : 1);
  }
  return wrong == 0 ? 0 : 1;
}

}  // namespace

constinit const Command verbs::ci_verify{"verify", "fail if calls of this job go round the lane",
                                         &command_ci_verify};

}  // namespace onelane::multicall
