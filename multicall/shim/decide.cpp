#include "multicall/shim/decide.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "core/sys/byte_lock.hpp"
#include "core/sys/text.hpp"
#include "multicall/context/facts.hpp"
#include "multicall/context/lane_call.hpp"
#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall {
namespace {

using shims::Class;

std::string lane_file(const project::Project& project) {
  return project.state_dir + "/lane";
}

/// `git status` refreshes the index if it can; while another run holds the lane it must not.
bool must_spare_index(const Call& call) {
  if (std::getenv("GIT_OPTIONAL_LOCKS") != nullptr) {
    return false;
  }
  const auto project = find_project(call);
  if (!project || !project->adopted) {
    return false;
  }
  const auto table = lane::Table::open_existing(lane_file(*project));
  return table && sys::is_byte_locked(table->fd(), lane::kLaneByte) &&
         relation_to(project->state_dir) != lane::Relation::BelowHolder;
}

/// The policy's decision, changed by what the project's settings say about the tool.
shims::Decision with_lists(const Call& call, const std::optional<shims::Decision>& built_in,
                           const settings::Settings& settings) {
  const auto entry = settings.tools.find(std::string{call.name});
  if (entry == settings.tools.end()) {
    return built_in.value_or(shims::Decision{Class::Pass, "no project lists this tool"});
  }
  const settings::ToolSettings& tool = entry->second;
  shims::ToolLists lists{tool.pass, tool.service, Class::Lane};
  lists.fallback = tool.fallback_class == "pass"      ? Class::Pass
                   : tool.fallback_class == "service" ? Class::Service
                   : tool.fallback_class == "editor"  ? Class::Editor
                                                      : Class::Lane;
  return built_in ? shims::apply_lists(call.name, call.args, *built_in, lists)
                  : shims::classify_listed(call.args, lists);
}

Verdict passed(Verdict verdict, std::string why) {
  verdict.action = Verdict::Action::Pass;
  verdict.why = std::move(why);
  return verdict;
}

/// Decides by the project about a call that the policy does not let pass. Not inlined: its settings
/// take a page of stack, which a call that passes must not touch.
[[gnu::noinline]] Verdict decide_in_project(const Call& call,
                                            const std::optional<shims::Decision>& built_in,
                                            Verdict verdict) {
  verdict.project = find_project(call);
  if (!verdict.project) {
    return passed(std::move(verdict), "no project here");
  }
  if (!verdict.project->adopted) {
    return passed(std::move(verdict), "the project has not adopted onelane");
  }
  // Made in its place; make_unique() would make it on the stack first.
  verdict.loaded.reset(
      new settings::Loaded(load_settings(verdict.project->root, settings::Audience::Shim)));
  const settings::Settings& settings = verdict.loaded->settings;
  place_lane(*verdict.project, settings);
  verdict.lane_dir = lane_directory(*verdict.project, settings, call.name);
  const lane::Relation relation = relation_to(verdict.lane_dir);
  verdict.bounded_wait = verdict.lane_dir != verdict.project->state_dir &&
                         relation_to(verdict.project->state_dir) == lane::Relation::BelowHolder;
  if (relation == lane::Relation::BelowHolder) {
    const Class cls = with_lists(call, built_in, settings).cls;
    verdict.is_lane_call = cls == Class::Lane || cls == Class::Editor;
    return passed(std::move(verdict), "below the run that holds the lane");
  }
  if (!settings.sequential.value) {
    return passed(std::move(verdict), "PROJECT_SEQUENTIAL_MODE=0 in this project");
  }
  verdict.decision = with_lists(call, built_in, settings);
  verdict.why = verdict.decision.reason;
  if (verdict.decision.cls == Class::Pass) {
    std::string why = verdict.why;
    return passed(std::move(verdict), std::move(why));
  }
  if (relation == lane::Relation::BelowService && verdict.decision.passes_below_service) {
    return passed(std::move(verdict), "below a live service");
  }
  verdict.action =
      verdict.decision.cls == Class::Service ? Verdict::Action::Service : Verdict::Action::Lane;
  return verdict;
}

}  // namespace

Verdict decide(const Call& call) {
  Verdict verdict;
  const shims::Shim* shim = shims::find_shim(call.name);
  std::optional<shims::Decision> built_in;
  if (shim != nullptr) {
    built_in = shim->classify(call.args, ProcessFacts{call});
    verdict.decision = *built_in;
    if (built_in->cls == Class::Pass) {
      verdict.spares_index = built_in->refreshes_index && must_spare_index(call);
      return passed(std::move(verdict), std::string{built_in->reason});
    }
  }
  return decide_in_project(call, built_in, std::move(verdict));
}

std::string_view word_of(shims::Class cls) noexcept {
  switch (cls) {
    case Class::Pass:
      return "pass";
    case Class::Lane:
      return "lane";
    case Class::Editor:
      return "editor";
    case Class::Service:
      return "service";
  }
  return "lane";
}

std::string explain_in_one_line(const Call& call, const Verdict& verdict, const std::string& tool) {
  std::string text = command_line(call) + ": ";
  const shims::Decision& decision = verdict.decision;
  if (verdict.action == Verdict::Action::Pass && decision.cls != Class::Pass) {
    text += "passes: " + verdict.why + "; class " + std::string{word_of(decision.cls)} + " (" +
            std::string{decision.reason} + ")";
  } else {
    text += std::string{word_of(decision.cls)} + " (" + verdict.why + ")";
  }
  if (verdict.project) {
    text += "; project " + sys::clean(verdict.project->root, 400);
  }
  if (!verdict.lane_dir.empty()) {
    text += "; lane " + sys::clean(verdict.lane_dir, 400);
  }
  return text + "; tool " + sys::clean(tool, 400);
}

}  // namespace onelane::multicall
