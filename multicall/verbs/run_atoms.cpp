#include "multicall/verbs/run_atoms.hpp"

#include <nlohmann/json.hpp>

#include "core/sys/text.hpp"
#include "multicall/context/real_tool.hpp"
#include "multicall/job/atoms.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall {
namespace {

constexpr std::size_t kMostAtoms = 100'000;

std::string atoms_word(const std::string& word) {
  return sys::printable(shell_word(word));
}

nlohmann::json atoms_as_json(const AtomPlan& plan) {
  nlohmann::json out{{"schema", 1}, {"split", plan.refusal.empty() && !plan.is_whole}};
  if (plan.tool != nullptr) {
    out["tool"] = plan.tool->name;
    out["note"] = plan.tool->note;
    out["tested"] = plan.tool->is_tested;
  }
  if (!plan.refusal.empty()) {
    out["refused"] = plan.refusal;
    out["force_helps"] = plan.force_helps;
    return out;
  }
  out["files"] = plan.files;
  out["listed_by"] = plan.listed_by.empty() ? "caller" : plan.listed_by;
  out["atom_size"] = plan.size;
  out["commands"] = plan.commands;
  return out;
}

void print_atoms(const AtomPlan& plan) {
  std::string text = "tool      " + std::string{plan.tool->name};
  text += plan.tool->is_tested ? ": each file is judged for itself\n"
                               : ": each file is judged for itself, as its documentation says\n";
  if (!plan.tool->note.empty()) {
    text += "but       " + std::string{plan.tool->note} + "\n";
  }
  if (plan.is_whole) {
    text += "files     none found: the command runs as it is\n";
  } else {
    text += "files     " + std::to_string(plan.files) +
            (plan.listed_by.empty() ? ", as named\n" : ", listed by " + plan.listed_by + "\n");
  }
  text += "commands  " + std::to_string(plan.commands.size()) + ", of " +
          std::to_string(plan.size) + (plan.size == 1 ? " file at most\n" : " files at most\n");
  for (const auto& command : plan.commands) {
    text += " ";
    for (const std::string& word : command) {
      text += " " + atoms_word(word);
    }
    text += "\n";
  }
  print(text);
}

AtomWish wish_of(const AtomOptions& options) {
  return {{options.which == "pytest-file", options.force}, options.size};
}

/// Prints a refusal; returns its exit code.
std::optional<int> refuse(const AtomPlan& plan) {
  if (plan.refusal.empty()) {
    return std::nullopt;
  }
  say_always("not split into atoms: " + sys::printable(plan.refusal) +
             (plan.force_helps ? " (--force splits it all the same)" : ""));
  return kExitUsage;
}

int explain(const AtomPlan& plan, bool as_json) {
  if (as_json) {
    print_json(atoms_as_json(plan));
  }
  if (const auto code = refuse(plan)) {
    return *code;
  }
  if (!as_json) {
    print_atoms(plan);
  }
  return 0;
}

}  // namespace

void add_atoms(Options& app, AtomOptions& options) {
  app.add_flag("--atoms", options.which, "tools",
               "split a command over files: one command for a few files each; pytest is split "
               "only by --atoms=pytest-file")
      ->type_name("[=pytest-file]")
      ->check(one_of({"tools", "pytest-file"}));
  app.add_option("--atom-size", options.size, "files in one command (default: depends on the tool)")
      ->type_name("N")
      ->check(in_range(1, kMostAtoms))
      ->needs("--atoms");
  app.add_flag("--force", options.force, "split even if an option or a setting forbids it")
      ->needs("--atoms");
}

void add_atoms_explain(Options& app, AtomOptions& options) {
  app.add_flag("--explain", options.explain, "print how it would be split; do nothing else")
      ->needs("--atoms");
}

std::optional<int> refuse_atoms(const AtomOptions& options, const Call& call) {
  return options.are_wanted() ? refuse(read_atoms(call, wish_of(options))) : std::nullopt;
}

int explain_atoms(const AtomOptions& options, bool as_json, const Call& call) {
  const tool::Found found = find_command_to_run(call);
  return found.outcome == tool::Outcome::Found
             ? explain(plan_atoms(call, found.path, wish_of(options)), as_json)
             : explain_no_command(call);
}

void say_atoms_doubt(const AtomOptions& options, const Call& call) {
  const tool::Found found = find_command_to_run(call);
  if (options.are_wanted() && found.outcome == tool::Outcome::Found) {
    const AtomPlan plan = plan_atoms(call, found.path, wish_of(options));
    if (!plan.refusal.empty()) {
      say_always("as things are it would not be split: " + sys::printable(plan.refusal));
    }
  }
}

std::optional<int> split_into_atoms(const AtomOptions& options, bool as_json, const Call& call,
                                    const tool::Found& tool, RetryOptions& parts) {
  if (!options.are_wanted()) {
    return std::nullopt;
  }
  AtomPlan atoms = plan_atoms(call, tool.path, wish_of(options));
  if (options.explain) {
    return explain(atoms, as_json);
  }
  if (const auto code = refuse(atoms)) {
    return code;
  }
  if (atoms.is_whole) {
    say("no file to split by; the command runs as it is");
    return std::nullopt;
  }
  parts.commands = std::move(atoms.commands);
  parts.nothing_code = atoms.tool->nothing_code;
  return std::nullopt;
}

}  // namespace onelane::multicall
