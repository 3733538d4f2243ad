#include <charconv>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "core/sys/text.hpp"
#include "multicall/ci/job_processes.hpp"
#include "multicall/ci/unstarted_queue.hpp"
#include "multicall/report/job_summary.hpp"
#include "multicall/report/step_summary.hpp"
#include "multicall/steer/end_run.hpp"
#include "multicall/term/annotation.hpp"
#include "multicall/term/fence.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

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
  return shown(row.command) + " (pid " + std::to_string(row.id.pid) + ", run " + shown(row.run_id) +
         (row.run_command.empty() ? "" : " `" + shown(row.run_command) + "`") + ")";
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
    problems_.push_back({std::to_string(unstarted_.size()) +
                             (unstarted_.size() == 1 ? " command was" : " commands were") +
                             " queued and never started: " + names +
                             (more == 0 ? "" : " and " + std::to_string(more) + " more"),
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
      out += ci::line_of(
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
        "this is no CI job: nothing was ended; `onelane ci finish --yes` ends what is listed");
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

}  // namespace

constinit const Command verbs::ci_finish{
    "finish", "the last step: end what is left, fail if commands never ran", &command_ci_finish};

}  // namespace onelane::multicall
