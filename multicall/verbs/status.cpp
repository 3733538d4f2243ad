#include "multicall/cli/colour.hpp"
#include "multicall/term/fence.hpp"
#include "multicall/term/print.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/verbs/status_watch.hpp"

namespace onelane::multicall {
namespace {

int show_once(StatusForm form, const Paint& paint) {
  const auto project = status_source();
  if (!project) {
    return 1;
  }
  ProjectView view = project->look();
  measure(view.lane);
  if (view.git) {
    measure(*view.git);
  }
  if (form == StatusForm::Json) {
    print_json(json_of(view));
  } else {
    print_fenced(text_of(view, paint));
  }
  return 0;
}

int command_status(std::span<char*> args) {
  Options app{
      "Show who holds the lane of this project, who waits and for about how long, which services "
      "and daemons run, what is left of ended runs, and the limits of a call made here.",
      "onelane status"};
  bool as_json = false;
  bool watches = false;
  Paint::When colour = Paint::When::Auto;
  app.add_flag("--json", as_json,
               "one JSON object: schema, project, holder, queue, …; with --watch one per line");
  app.add_flag("--watch", watches,
               "go on until Ctrl-C: redrawn on a terminal, elsewhere printed again on each change");
  add_colour(app, colour);
  app.footer(exit_codes({{1, "no project here has adopted onelane, or its lane cannot be read"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  const Paint paint{1, colour};
  const auto form = as_json ? StatusForm::Json : StatusForm::Text;
  return watches ? watch_status(form, paint) : show_once(form, paint);
}

}  // namespace

constinit const Command verbs::status{
    "status", "who holds the lane, who waits", &command_status, {}, Group::Everyday};

}  // namespace onelane::multicall
