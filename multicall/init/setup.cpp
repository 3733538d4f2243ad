#include "multicall/init/setup.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/sys/text.hpp"
#include "multicall/init/agents.hpp"
#include "multicall/init/hooks.hpp"
#include "multicall/term/confirm.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall::setup {
namespace {

using nlohmann::json;

/// Lines of a user's file, indented and safe for a terminal.
std::string shown(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out += "  " + sys::printable(text.substr(at, end - at), 1000) + "\n";
    at = end + 1;
  }
  return out;
}

/// Carries out the plans one after the other. Each is made after the previous one is written, as
/// two may change the same file.
class Setup {
 public:
  Setup(const project::Project& project, const SetupOptions& options)
      : options_{options}, project_{project}, manifest_{project.state_dir} {}

  void hooks(const std::string& manager) { carry_out(plan_hooks(project_, manager), false); }
  void agent(const std::string& name) { carry_out(plan_agent(project_, name), true); }

  int finish(const InitReport& done) {
    if (options_.as_json) {
      print_json(
          {{"schema", 1}, {"dry_run", options_.dry_run}, {"init", done.lines}, {"plans", plans_}});
    }
    return code_;
  }

 private:
  void carry_out(const Plan& plan, bool asks) {
    const bool writes = std::ranges::any_of(plan.changes, is_write);
    tell(plan, writes && (asks || options_.dry_run));
    const bool may = writes && !options_.dry_run && (!asks || options_.yes || is_allowed(plan));
    for (const Change& change : plan.changes) {
      if (is_write(change) && may) {
        write_change(project_.root, change, manifest_);
        say_line("wrote     " + change.file +
                 (change.runs.empty() ? "" : "  (runs: " + change.runs + ")"));
      }
      if (change.kind == Change::Kind::Refuse) {
        code_ = std::max(code_, 1);
      }
    }
    if (!writes || may || options_.dry_run) {
      for (const std::string& line : plan.next) {
        say_line("next: " + line);
      }
    }
    add_json(plan, may);
  }

  static bool is_write(const Change& change) { return change.kind == Change::Kind::Write; }

  void tell(const Plan& plan, bool with_diff) {
    for (const Change& change : plan.changes) {
      switch (change.kind) {
        case Change::Kind::Write:
          if (with_diff) {
            say_line("would write " + change.file + "\n" + shown(diff_of(change)), false);
          }
          break;
        case Change::Kind::Already:
          say_line("already   " + change.file);
          break;
        case Change::Kind::Propose:
          say_line("kept      " + change.file + " " + change.why + ":\n" + shown(change.text),
                   false);
          break;
        case Change::Kind::Refuse:
          say_line(
              "refused   " + change.file + " " + change.why +
                  (change.text.empty() ? "\n" : "; to be added by hand:\n" + shown(change.text)),
              false);
          break;
      }
    }
  }

  bool is_allowed(const Plan& plan) {
    const auto count = std::ranges::count_if(plan.changes, is_write);
    // With --json the user has not been shown what would be written.
    const Answer answer = options_.as_json
                              ? Answer::NoTerminal
                              : confirm("write " + std::string{count == 1 ? "this" : "these"} +
                                        " for " + plan.what + "?");
    if (answer == Answer::NoTerminal) {
      say_always("nothing written for " + plan.what + ": --yes writes it");
      code_ = kExitUsage;
    } else if (answer == Answer::No) {
      say_always("nothing written for " + plan.what);
      code_ = std::max(code_, 1);
    }
    return answer == Answer::Yes;
  }

  void say_line(const std::string& text, bool newline = true) const {
    if (!options_.as_json) {
      print(printable_lines(text) + (newline ? "\n" : ""));
    }
  }

  void add_json(const Plan& plan, bool written) {
    json changes = json::array();
    for (const Change& change : plan.changes) {
      json row = to_json(change);
      row["written"] = written && is_write(change);
      changes.push_back(row);
    }
    plans_.push_back({{"what", plan.what}, {"changes", changes}, {"next", plan.next}});
  }

  const SetupOptions& options_;
  const project::Project& project_;
  Manifest manifest_;
  json plans_ = json::array();
  int code_ = 0;
};

}  // namespace

void add_setup_options(Options& app, SetupOptions& options) {
  app.add_flag("--pre-commit", options.pre_commit,
               "a hook that runs this project's check: writes .pre-commit-config.yaml, or says "
               "what to add to it");
  app.add_flag("--husky", options.husky, "the same for .husky/pre-commit");
  app.add_flag("--lefthook", options.lefthook, "the same for lefthook.yml");
  app.add_option("--agent", options.agents,
                 "the shims on the PATH of an agent's shell: claude, codex, cursor or generic")
      ->type_name("AGENT")
      ->check(one_of(std::vector<std::string>{kAgents.begin(), kAgents.end()}));
  app.add_flag("--yes", options.yes, "with --agent: do not ask");
  app.add_flag("--dry-run", options.dry_run, "show what would be written, write nothing");
  app.add_flag("--json", options.as_json, "one JSON object: schema, dry_run, init, next, plans");
}

int set_up(const project::Project& project, const SetupOptions& options, const InitReport& done) {
  Setup setup{project, options};
  if (options.pre_commit) {
    setup.hooks("pre-commit");
  }
  if (options.husky) {
    setup.hooks("husky");
  }
  if (options.lefthook) {
    setup.hooks("lefthook");
  }
  for (const std::string& agent : options.agents) {
    setup.agent(agent);
  }
  return setup.finish(done);
}

}  // namespace onelane::multicall::setup
