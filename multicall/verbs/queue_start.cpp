#include "core/sys/values.hpp"
#include "multicall/queue/queue_view.hpp"
#include "multicall/queue/run.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/verbs/table.hpp"

namespace onelane::multicall {

namespace {

int command_queue_start(std::span<char*> args) {
  Options app{
      "Run the entries of the queue one after the other, each through the lane like any other run, "
      "including those added meanwhile. The first failure ends it, and the rest stays queued.",
      "onelane queue start"};
  StartOptions options;
  options.run_command = &run_command;
  std::string timeout;
  app.add_option("--pipeline-timeout", timeout, "end all of it after this long: 30, 500ms, 10m")
      ->type_name("DURATION")
      ->check(duration());
  app.add_flag("--keep-going", options.keep_going, "go on after a failure");
  app.add_flag("--until-closed", options.until_closed,
               "wait for more when the queue is empty, until `onelane queue close`");
  app.add_flag("--again", options.again, "run interrupted entries once more, in their places");
  app.add_flag("--json", options.as_json,
               "one JSON object at the end: schema, queue_start, code, reason, entries, left; the "
               "commands' output goes to standard error");
  app.footer(exit_codes(
      {{0, "all of it passed, or the queue was empty"},
       {1, "an entry was interrupted before: use --again, or remove it"},
       {kExitGaveUp, "the queue is running already, or `onelane queue stop` left entries"},
       {kExitTimedOut, "ended at --pipeline-timeout"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  options.pipeline_timeout = sys::parse_duration(timeout);
  return with_queue([&](const LanesHere& lanes, queue::Store& store) {
    make_queue_directory(lanes);
    return run_queue(lanes, store, options);
  });
}

}  // namespace

constinit const Command verbs::queue_start{"start", "run it, one entry after the other",
                                           &command_queue_start};

}  // namespace onelane::multicall
