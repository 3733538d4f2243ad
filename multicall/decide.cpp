#include "multicall/decide.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "core/settings/values.hpp"
#include "core/sys/byte_lock.hpp"
#include "multicall/facts.hpp"
#include "multicall/lane_call.hpp"
#include "multicall/say.hpp"

namespace onelane::multicall {
namespace {

using shims::Class;

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : std::string_view{value};
}

std::string lane_file(const project::Project& project) {
  return project.state_dir + "/lane";
}

/// `git status` writes the index when it can; while somebody else holds the lane it must not.
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

std::uint64_t total_memory_mb() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long size = ::sysconf(_SC_PAGESIZE);
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size) >> 20U;
}

/// The policy's word, changed by what the project says about the tool.
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

/// What the project says of a call that does not pass by itself. Not inlined: its settings take a
/// page of stack, which a call that passes must not touch.
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
  verdict.loaded = std::make_unique<settings::Loaded>(
      load_settings(verdict.project->root, settings::Audience::Shim));
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

std::optional<project::Project> find_project(const Call& call) {
  project::Start start;
  start.directory = ".";
  if (const shims::Shim* shim = shims::find_shim(call.name)) {
    const shims::Target target = shim->target(call.args);
    start.directory = acting_directory(target);
    start.git_dir = target.git_dir;
  }
  if (call.name == "git" && !start.git_dir) {
    if (const std::string_view git_dir = variable("GIT_DIR"); !git_dir.empty()) {
      start.git_dir = std::string{git_dir};
    }
  }
  return project::find(start);
}

std::optional<project::Project> project_here() {
  return project::find({".", std::nullopt});
}

settings::Loaded load_settings(const std::string& root, settings::Audience audience,
                               std::vector<std::pair<std::string, std::string>> command_line) {
  settings::Request request;
  request.root = root;
  request.audience = audience;
  request.home = variable("HOME");
  request.environment = [](const char* name) -> const char* { return std::getenv(name); };
  request.command_line = std::move(command_line);
  request.total_memory_mb = total_memory_mb();
  request.has_policy = [](std::string_view tool) { return shims::find_shim(tool) != nullptr; };
  return settings::load(request);
}

void place_lane(project::Project& project, const settings::Settings& settings) {
  if (!settings.lock_base_dir.value.empty()) {
    project.state_dir = settings.lock_base_dir.value + "/onelane-" + project.name;
    std::filesystem::create_directories(project.state_dir);
    return;
  }
  switch (settings.scope.value) {
    case settings::Scope::Worktree:
      return;
    case settings::Scope::Repository:
      if (!project.common_dir.empty()) {
        project.state_dir = project.common_dir + "/onelane";
      }
      return;
    case settings::Scope::User:
    case settings::Scope::Named: {
      const bool named = settings.scope.value == settings::Scope::Named;
      project.name = named ? settings.scope_name.value : "user";
      project.state_dir = home_of_user() + "/.local/state/onelane/lanes/" + project.name;
      std::filesystem::create_directories(project.state_dir);
      return;
    }
  }
}

std::string lane_directory(const project::Project& project, const settings::Settings& settings,
                           std::string_view tool) {
  const bool own = tool == "git" && settings.lanes.value == "split";
  return own ? project.state_dir + "/git" : project.state_dir;
}

lane::Relation relation_to(const std::string& lane_dir) {
  const auto table = lane::Table::open_existing(lane_dir + "/lane");
  return table ? lane::relation_to_lane(*table, variable("ONELANE_HELD"), lane_call_test(lane_dir))
               : lane::Relation::Outside;
}

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
  std::string text = words(call) + ": ";
  const shims::Decision& decision = verdict.decision;
  if (verdict.action == Verdict::Action::Pass && decision.cls != Class::Pass) {
    text += "passes: " + verdict.why + "; class " + std::string{word_of(decision.cls)} + " (" +
            std::string{decision.reason} + ")";
  } else {
    text += std::string{word_of(decision.cls)} + " (" + verdict.why + ")";
  }
  if (verdict.project) {
    text += "; project " + settings::clean(verdict.project->root, 400);
  }
  if (!verdict.lane_dir.empty()) {
    text += "; lane " + settings::clean(verdict.lane_dir, 400);
  }
  return text + "; tool " + settings::clean(tool, 400);
}

}  // namespace onelane::multicall
