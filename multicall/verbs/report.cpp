#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "multicall/cli/shared_options.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/report/job_summary.hpp"
#include "multicall/report/out_file.hpp"
#include "multicall/report/page.hpp"
#include "multicall/report/trace.hpp"
#include "multicall/term/github_log.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

/// The options of one call.
struct ReportOptions {
  std::string html;
  std::string trace;
  std::int64_t since = 0;
  bool github = false;
  bool as_json = false;
};

std::optional<int> parse(ReportOptions& options, std::span<char*> args) {
  Options app{
      "Report on the lane of this project: its runs, waits, failures, limits and memory.\n"
      "Without an option, print a few lines of text.",
      "onelane report"};
  app.add_option("--html", options.html, "write one page that needs no network; - for stdout")
      ->type_name("FILE")
      ->check(not_empty());
  app.add_flag("--github", options.github,
               "append to $GITHUB_STEP_SUMMARY (stdout without it) and print an annotation for "
               "each run that was ended");
  app.add_option("--trace", options.trace, "write trace events for ui.perfetto.dev; - for stdout")
      ->type_name("FILE")
      ->check(not_empty());
  add_since(app, options.since, "only runs that ended since then (7d), or all");
  app.add_flag("--json", options.as_json, "one JSON object: schema, project, figures, runs");
  app.final_check([&options] {
    const bool html = descriptor_named(options.html) == 1;
    const bool trace = descriptor_named(options.trace) == 1;
    const bool clash = (html && trace) || ((html || trace) && (options.as_json || options.github));
    return clash ? "--html, --trace: only one thing can go to standard output" : "";
  });
  app.footer(exit_codes({{1, "there is no project here, or a file cannot be read or written"}}));
  return parse_words(app, args);
}

void report(const ReportOptions& options, const History& history) {
  if (!options.html.empty()) {
    write_out(options.html, page_of(history));
  }
  if (!options.trace.empty()) {
    write_out(options.trace, trace_of(history));
  }
  if (options.github) {
    if (!append_step_summary(history)) {
      print_fenced(markdown_of(history));
    }
    print(annotations_of(history));
  }
  if (options.as_json) {
    print(json_of(history));
  } else if (options.html.empty() && options.trace.empty() && !options.github) {
    print_fenced(text_of(history));
  }
}

int command_report(std::span<char*> args) {
  constexpr std::int64_t kWeek = std::int64_t{7} * 86'400'000;
  ReportOptions options;
  options.since = sys::wall_milliseconds() - kWeek;
  if (const auto code = parse(options, args)) {
    return *code;
  }
  const auto lanes = journal_here_or_say();
  if (!lanes) {
    return 1;
  }
  try {
    report(options, history_of(*lanes, options.since));
  } catch (const sys::SystemError& error) {
    say_always(error.what());
    return 1;
  }
  return 0;
}

}  // namespace

constinit const Command verbs::report{"report",
                                      "what ran, waited and was ended: text, a page, a trace",
                                      &command_report,
                                      {},
                                      Group::Look};

}  // namespace onelane::multicall
