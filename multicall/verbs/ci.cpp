#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "core/sys/text.hpp"
#include "multicall/ci/job_remains.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/doctor/checks.hpp"
#include "multicall/report/job_summary.hpp"
#include "multicall/steer/end_run.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/github_log.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

int print_shim_directory(const std::string& name, std::span<char*> args) {
  Options app{"Print the shim directory of this project, for $GITHUB_PATH.", name};
  app.footer(exit_codes({{1, "no .onelane/bin in this project"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  const auto project = project_here();
  const std::string bin = project ? project->root + "/.onelane/bin" : std::string{};
  if (bin.empty() || ::access(bin.c_str(), X_OK) != 0) {
    say_always("no .onelane/bin in this project: run `onelane init --ci` first");
    return 1;
  }
  print(bin + "\n");
  return 0;
}

int command_ci(std::span<char*> args) {
  Options app{"The parts of a CI job: see `onelane ci --help`.", "onelane ci"};
  app.footer(exit_codes({}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  say_always("onelane ci: path, verify or finish? (see `onelane ci --help`)");
  return kExitUsage;
}

constexpr const Command* kCiParts[] = {&verbs::ci_finish, &verbs::ci_path, &verbs::ci_verify};

int command_ci_path(std::span<char*> args) {
  return print_shim_directory("onelane ci path", args);
}

int command_ci_path_alias(std::span<char*> args) {
  return print_shim_directory("onelane ci-path", args);
}

using nlohmann::json;

constexpr std::size_t kMostNamed = 20;

/// Runs count for the summary from this time on: install/ci/setup.sh notes when the job began.
std::int64_t job_start_wall_ms() {
  constexpr std::int64_t kWeek = std::int64_t{7} * 86'400'000;
  const char* noted = std::getenv("ONELANE_JOB_STARTED");
  std::int64_t seconds = 0;
  if (noted != nullptr &&
      std::from_chars(noted, noted + std::strlen(noted), seconds).ec == std::errc{} &&
      seconds > 0 && seconds < sys::wall_milliseconds() / 1000 + 1) {
    return seconds * 1000;
  }
  return sys::wall_milliseconds() - kWeek;
}

std::string shown(std::string_view text) {
  return sys::printable(text, 300);
}

std::string row_words(const OrphanRow& row) {
  return fmt::format("{} (pid {}, run {}{})", shown(row.command), row.id.pid, shown(row.run_id),
                     row.run_command.empty() ? "" : fmt::format(" `{}`", shown(row.run_command)));
}

/// A reason for the job to fail.
struct JobProblem {
  std::string what;
  std::string todo;
};

/// Whether processes are ended or only listed.
enum class Deed { End, List };

/// The end of one job.
class JobEnd {
 public:
  JobEnd(const LanesHere& lanes, ci::Daemons daemons, Deed deed)
      : lanes_{lanes}, daemons_{daemons}, deed_{deed} {}

  void clear() {
    ci::JobRuns runs = ci::job_runs(lanes_);
    for (const Found& service : runs.foreign) {
      runs_kept_.push_back(multicall::words_of(service));
    }
    for (const Found& service : runs.services) {
      if (daemons_ == ci::Daemons::End) {
        end(service);
      } else {
        runs_kept_.push_back(multicall::words_of(service));
      }
    }
    for (const Found& found : runs.others) {
      running_.push_back(multicall::words_of(found));
      problems_.push_back({running_.back() + (found.has_started() ? " still runs" : " still waits"),
                           "let its own step wait for it"});
    }
    cleared_ =
        deed_ == Deed::End ? ci::clear_job(lanes_, daemons_) : ci::look_at_job(lanes_, daemons_);
    for (const OrphanRow& row : cleared_.left) {
      problems_.push_back({row_words(row) + " is still there after SIGKILL",
                           "it is another user's, or in the kernel"});
    }
  }

  void look_at_queue() {
    unstarted_ = ci::unstarted_entries(lanes_);
    if (unstarted_.empty()) {
      return;
    }
    std::string names;
    for (std::size_t i = 0; i < std::min(unstarted_.size(), kMostNamed); ++i) {
      names += (i == 0 ? "" : ", ") + shown(unstarted_[i]);
    }
    const std::size_t more = unstarted_.size() - std::min(unstarted_.size(), kMostNamed);
    problems_.push_back({fmt::format("{} queued and never started: {}{}",
                                     counted(unstarted_.size(), "command was", "commands were"),
                                     names, more == 0 ? "" : fmt::format(" and {} more", more)),
                         "start them in this job: onelane queue start"});
  }

  void add_problem(std::string what, std::string todo) {
    problems_.push_back({std::move(what), std::move(todo)});
  }

  [[nodiscard]] std::string text() const {
    std::string out;
    for (const std::string& run : runs_ended_) {
      out += ended_word() + run + "\n";
    }
    for (const OrphanRow& row : cleared_.ended) {
      out += ended_word() + row_words(row) + "\n";
    }
    for (const std::string& run : runs_kept_) {
      out += "left    " + run + "\n";
    }
    for (const OrphanRow& row : cleared_.kept) {
      out += "left    " + row_words(row) + "\n";
    }
    for (const JobProblem& problem : problems_) {
      out += "wrong   " + problem.what + " -> " + problem.todo + "\n";
    }
    return out;
  }

  [[nodiscard]] std::string marks() const {
    std::string out;
    for (std::size_t i = 0; i < std::min(problems_.size(), kMostAnnotations); ++i) {
      out += line_of(
          {.title = "onelane ci finish", .text = problems_[i].what + " -> " + problems_[i].todo});
    }
    return out;
  }

  [[nodiscard]] json object() const {
    json problems = json::array();
    for (const JobProblem& problem : problems_) {
      problems.push_back({{"what", problem.what}, {"todo", problem.todo}});
    }
    return {{"schema", 1},
            {"problems", problems},
            {"unstarted", unstarted_},
            {"running", running_},
            {"is_listed_only", deed_ == Deed::List},
            {"ended_services", listed_only(json(runs_ended_), false)},
            {"would_end_services", listed_only(json(runs_ended_), true)},
            {"kept_services", runs_kept_},
            {"ended", listed_only(json_of(cleared_.ended), false)},
            {"would_end", listed_only(json_of(cleared_.ended), true)},
            {"kept", json_of(cleared_.kept)},
            {"left", json_of(cleared_.left)}};
  }

  [[nodiscard]] int code() const noexcept { return problems_.empty() ? 0 : 1; }

  /// True when something is listed that would have been ended.
  [[nodiscard]] bool spares() const noexcept {
    return deed_ == Deed::List && !(runs_ended_.empty() && cleared_.ended.empty());
  }

 private:
  [[nodiscard]] std::string ended_word() const {
    return deed_ == Deed::End ? "ended   " : "would end  ";
  }

  /// `rows` under the right key: what was ended, or what would have been.
  [[nodiscard]] json listed_only(json rows, bool would) const {
    return would == (deed_ == Deed::List) ? std::move(rows) : json::array();
  }

  void end(const Found& service) {
    const std::string args = multicall::words_of(service);
    if (deed_ == Deed::List) {
      runs_ended_.push_back(args);
      return;
    }
    const RunEnd result =
        end_run(*service.table, service.ticket, lanes_.settings.kill_timeout.value);
    if (result.ended) {
      runs_ended_.push_back(args);
    } else {
      problems_.push_back({args + " has not ended: " + result.why, "end it in its own step"});
    }
  }

  const LanesHere& lanes_;
  const ci::Daemons daemons_;
  const Deed deed_;
  ci::Cleared cleared_;
  std::vector<std::string> runs_ended_;
  std::vector<std::string> runs_kept_;
  std::vector<std::string> running_;
  std::vector<std::string> unstarted_;
  std::vector<JobProblem> problems_;
};

/// The job's summary on GitHub; elsewhere the text for a log.
struct JobStory {
  std::string text;
  std::string marks;
};

JobStory tell_story(const LanesHere& lanes, JobEnd& end) {
  try {
    const History history = history_of(lanes, job_start_wall_ms());
    (void)append_step_summary(history);
    return {text_of(history), annotations_of(history)};
  } catch (const sys::SystemError& failure) {
    end.add_problem(std::string{"the summary is missing: "} + failure.what(),
                    "fix what the message names");
    return {};
  }
}

void print_end(const JobEnd& end, const JobStory& story) {
  print_fenced(end.text() + story.text);
}

int finish_job(const LanesHere& lanes, ci::Daemons daemons, Deed deed, bool as_json) {
  JobEnd end{lanes, daemons, deed};
  end.clear();
  try {
    end.look_at_queue();
  } catch (const sys::SystemError& failure) {
    end.add_problem(std::string{"the queue cannot be read: "} + failure.what(),
                    "fix what the message names");
  }
  const JobStory story = tell_story(lanes, end);
  if (as_json) {
    print_json(end.object());
  } else {
    print_end(end, story);
  }
  if (end.spares()) {
    say_always(
        "this is not a CI job: nothing was ended; `onelane ci finish --yes` ends what is listed");
  }
  if (is_github_step()) {
    // If standard output is JSON, GitHub's commands go to standard error: it reads both.
    (void)sys::write_all(as_json ? 2 : 1, end.marks() + story.marks);
  }
  return end.code();
}

int command_ci_finish(std::span<char*> args) {
  Options app{
      "The last step of a job (`if: always()`): fails if queued commands were never started or a "
      "run still has the lane, ends and lists what the job's runs left running, and writes the "
      "job's summary. It waits for no run. Outside of CI (no CI, no ONELANE_JOB_STARTED) it only "
      "lists what it would end.",
      "onelane ci finish"};
  bool as_json = false;
  bool keeps = false;
  bool agreed = false;
  app.add_flag("--keep-daemons", keeps, "list what was left running on purpose, but do not end it");
  app.add_flag("--yes", agreed, "end it even outside of CI");
  app.add_flag("--json", as_json, "one JSON object: schema, problems, unstarted, ended, …");
  app.footer(
      exit_codes({{0, "nothing is wrong"}, {1, "something is, or there is no project here"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  const auto lanes = lanes_here_or_say();
  if (!lanes) {
    return 1;
  }
  if (lanes->unreadable) {  // its runs would look like orphans
    say_always(lanes->unreadable->what());
    return 1;
  }
  return finish_job(*lanes, keeps ? ci::Daemons::Keep : ci::Daemons::End,
                    agreed || ci::is_in_job() ? Deed::End : Deed::List, as_json);
}

using doctor::Check;
using doctor::Finding;
using doctor::Level;

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
    {"space", "space for the lane and its journal", true, &doctor::look_at_space},
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

Annotation annotation_of(const Finding& finding) {
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
      text += line_of(annotation_of(finding));
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
  print(text +
        (wrong == 0 ? "every call of this job goes through the lane"
                    : counted(wrong, "thing is wrong", "things are wrong")) +
        "\n");
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
      "Fail if calls in this job would bypass the lane: another tool comes before a shim in this "
      "step or in new shells, or the lane cannot be used. Run it right after the last of the "
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

constinit const Command verbs::ci{"ci", "the steps of a CI job: path, verify, finish", &command_ci,
                                  kCiParts, Group::SetUp};

constinit const Command verbs::ci_path{"path", "print the shim directory, for $GITHUB_PATH",
                                       &command_ci_path};

constinit const Command verbs::ci_path_alias{
    "ci-path", "the same as `ci path`", &command_ci_path_alias, {}, Group::Hidden};

constinit const Command verbs::ci_finish{
    "finish", "the last step: end what is left, fail if commands never ran", &command_ci_finish};

constinit const Command verbs::ci_verify{"verify", "fail if calls in this job bypass the lane",
                                         &command_ci_verify};

}  // namespace onelane::multicall
