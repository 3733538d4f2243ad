#include "multicall/init/agents.hpp"
#include "multicall/context/real_tool.hpp"

#include "multicall/doctor/checks.hpp"
#include "multicall/doctor/probe.hpp"

namespace onelane::multicall::doctor {
namespace {

/// The agent's name in messages.
std::string_view title_of(std::string_view agent) {
  return agent == "claude" ? "Claude Code" : agent == "codex" ? "Codex" : "Cursor";
}

/// The environment of the agent's shell. All three read kShellFile after any profile has changed
/// PATH: as BASH_ENV or, with the same effect, as the first line of each command.
decltype(process::Question::environment) environment_for(const Scene& scene,
                                                         std::string_view agent) {
  const std::string path = path_without_shims(scene);
  const std::string shell = scene.project->root + "/" + std::string{setup::kShellFile};
  return {{"PATH", agent == "cursor" ? scene.bin + ":" + path : path},
          {"BASH_ENV", shell},
          {"ENV", {}}};
}

void look_at_agent(const Scene& scene, std::string_view agent, Findings& out) {
  const std::string name{title_of(agent)};
  const std::string bash = real_program("bash", scene.path);
  std::vector<std::string> fine;
  for (const char* const flags : {"-c", "-lc"}) {
    const std::string called = name + "'s `bash " + flags + "`";
    if (bash.empty()) {
      return;
    }
    const Probe told = probe(scene, {bash, flags}, "bash", environment_for(scene, agent));
    if (!told.is_complete) {
      out.note(silence(called, told.answer));
    } else if (!told.detours.empty()) {
      out.wrong({.what = called + ": " + describe(told.detours),
                 .where = scene.project->root + "/" + setup::agent_file(agent),
                 .todo = "something sets PATH after it: see `shells`"});
    } else {
      fine.push_back("`bash " + std::string{flags} + "`");
    }
  }
  if (!fine.empty()) {
    out.ok("shims first in " + name + "'s " + list_words(fine));
  }
}

}  // namespace

void look_at_agents(const Scene& scene, Findings& out) {
  const std::string& root = scene.project->root;
  const auto shell = setup::look_for(root, std::string{setup::kShellFile});
  for (const std::string_view agent : setup::kAgents) {
    const std::string file = setup::agent_file(agent);
    const auto found = file.empty() ? setup::Found{} : setup::look_for(root, file);
    if (found.kind != setup::Found::Kind::Text || scene.tools.empty()) {
      continue;
    }
    const std::string command = "onelane init --agent " + std::string{agent};
    if (!setup::has_agent_lines(agent, found.text, root)) {
      // Other editors use Cursor's file, too.
      if (agent != "cursor") {
        out.note({.what = std::string{title_of(agent)} + " is not told where the shims are",
                  .where = root + "/" + file,
                  .todo = "put them on the PATH of its shell",
                  .command = command});
      }
    } else if (shell.text != setup::shell_text(root)) {
      // Never run: the content is not ours.
      out.wrong({.what = std::string{title_of(agent)} + " reads a file that is gone or changed",
                 .where = root + "/" + std::string{setup::kShellFile},
                 .todo = "write it again",
                 .command = command});
    } else {
      look_at_agent(scene, agent, out);
    }
  }
}

}  // namespace onelane::multicall::doctor
