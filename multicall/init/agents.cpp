#include "multicall/init/agents.hpp"

#include <algorithm>
#include <cstdlib>

#include "core/settings/toml_reader.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall::setup {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kClaude = ".claude/settings.json";
constexpr std::string_view kCodex = ".codex/config.toml";
constexpr std::string_view kCursor = ".vscode/settings.json";

/// Every shell of Claude Code reads CLAUDE_ENV_FILE, after its snapshot of PATH. A value in `env`
/// would not be expanded, and would come before the snapshot.
constexpr std::string_view kClaudeHook =
    "[ -z \"$CLAUDE_ENV_FILE\" ] || cat \"$CLAUDE_PROJECT_DIR/.onelane/shell\" "
    "2>/dev/null >>\"$CLAUDE_ENV_FILE\" || :";

constexpr std::string_view kTerminal = "terminal.integrated.env.linux";

ordered_json claude_entry() {
  return {{"hooks", {{{"type", "command"}, {"command", kClaudeHook}}}}};
}

Members cursor_members() {
  return {{"PATH", "${workspaceFolder}/.onelane/bin:${env:PATH}"},
          {"BASH_ENV", "${workspaceFolder}/.onelane/shell"}};
}

std::string pretty(const ordered_json& value) {
  return value.dump(2) + "\n";
}

bool has_claude_hook(const ordered_json& settings) {
  const ordered_json none;
  const ordered_json& hooks = settings.contains("hooks") ? settings["hooks"] : none;
  const ordered_json& start =
      hooks.is_object() && hooks.contains("SessionStart") ? hooks["SessionStart"] : none;
  const auto entry = claude_entry();
  return start.is_array() && std::ranges::find(start, entry) != start.end();
}

Change change_claude(Change change, const ordered_json& settings) {
  if (settings.contains("env") && settings["env"].is_object() && settings["env"].contains("PATH")) {
    return refuse(std::move(change), "sets PATH itself");
  }
  if (settings.value("disableAllHooks", ordered_json(false)) != false) {
    return refuse(std::move(change), "switches all hooks off");
  }
  if (!settings.contains("hooks")) {
    const ordered_json start = {{"SessionStart", ordered_json::array({claude_entry()})}};
    return insert(change, insert_json(change.before, {}, {{"hooks", start}}));
  }
  const ordered_json& hooks = settings["hooks"];
  if (hooks.is_object() && !hooks.contains("SessionStart")) {
    return insert(change, insert_json(change.before, {"hooks"},
                                      {{"SessionStart", ordered_json::array({claude_entry()})}}));
  }
  return insert(change,
                insert_json(change.before, {"hooks", "SessionStart"}, {{"", claude_entry()}}));
}

Change change_cursor(Change change, const ordered_json& settings) {
  if (!settings.contains(kTerminal)) {
    ordered_json terminal;
    for (const auto& [name, value] : cursor_members()) {
      terminal[name] = value;
    }
    return insert(change, insert_json(change.before, {}, {{std::string{kTerminal}, terminal}}));
  }
  const ordered_json& terminal = settings[std::string{kTerminal}];
  if (terminal.is_object() && (terminal.contains("PATH") || terminal.contains("BASH_ENV"))) {
    return refuse(std::move(change),
                  terminal.contains("PATH") ? "sets PATH itself" : "sets BASH_ENV itself");
  }
  return insert(change, insert_json(change.before, {std::string{kTerminal}}, cursor_members()));
}

std::string new_text(std::string_view agent, const std::string& root) {
  if (agent == "claude") {
    return pretty({{"hooks", {{"SessionStart", ordered_json::array({claude_entry()})}}}});
  }
  if (agent == "codex") {
    return codex_text(root);
  }
  ordered_json terminal;
  for (const auto& [name, value] : cursor_members()) {
    terminal[name] = value;
  }
  return pretty({{kTerminal, terminal}});
}

Change change_agent(std::string_view agent, const std::string& root) {
  Change change{.file = agent_file(agent), .text = new_text(agent, root)};
  const Found found = look_for(root, change.file);
  if (found.kind == Found::Kind::Unusable) {
    return refuse(std::move(change), found.why);
  }
  if (found.kind == Found::Kind::Missing) {
    change.kind = Change::Kind::Write;
    change.is_new = true;
    return change;
  }
  if (has_agent_lines(agent, found.text, root)) {
    change.kind = Change::Kind::Already;
    return change;
  }
  change.before = found.text;
  if (agent == "codex") {
    return change_codex(std::move(change), root);
  }
  const auto settings = parse_json(found.text);
  if (!settings || !settings->is_object()) {
    return refuse(std::move(change), "cannot be parsed");
  }
  return agent == "claude" ? change_claude(std::move(change), *settings)
                           : change_cursor(std::move(change), *settings);
}

Change change_shell_file(const std::string& root) {
  Change change{.file = std::string{kShellFile}, .text = shell_text(root)};
  const Found found = look_for(root, change.file);
  if (found.kind == Found::Kind::Unusable) {
    return refuse(std::move(change), found.why);
  }
  change.kind = found.text == change.text ? Change::Kind::Already : Change::Kind::Write;
  // Always replaced as a whole: everything below .onelane belongs to onelane.
  change.is_new = true;
  return change;
}

std::vector<std::string> next_of(std::string_view agent, const std::string& root) {
  const std::string file = shell_word(root + "/" + std::string{kShellFile});
  std::vector<std::string> next;
  if (agent == "claude") {
    next.emplace_back("start a new session of Claude Code; it asks about a project's hooks once");
  } else if (agent == "codex") {
    next.emplace_back("Codex reads .codex/config.toml only in a project that it trusts");
    next.emplace_back("the line names a path of this machine: commit it only if all have the same");
  } else if (agent == "cursor") {
    next.emplace_back("open a new terminal in Cursor, in a workspace that it trusts");
    next.emplace_back("the command line agent has the PATH of the shell that starts it");
  } else {
    next.push_back("export BASH_ENV=" + file + " ENV=" + file + "   (where the agent is started)");
    next.emplace_back(
        "for AGENTS.md: Run make, git, pytest and npm by their names; they may say `queued, not "
        "hung` and wait: do not retry, do not call them by a path.");
  }
  const char* const shell = std::getenv("SHELL");
  if (shell != nullptr && std::string_view{shell}.ends_with("/zsh") && agent != "claude") {
    next.push_back("zsh does not read BASH_ENV: echo " + shell_word(". " + file) + " >> ~/.zshenv");
  }
  return next;
}

constexpr std::string_view kCodexPolicy = "[shell_environment_policy";
constexpr std::string_view kCodexTable = "[shell_environment_policy.set]";

std::string toml_string(std::string_view text) {
  return nlohmann::json(text).dump();  // a JSON string; for a path the same in TOML
}

std::string codex_line(const std::string& root) {
  return "BASH_ENV = " + toml_string(root + "/" + std::string{kShellFile}) + "\n";
}

/// The lines of a table from `at`, just after its header, to the next table.
std::string_view table_body(std::string_view text, std::size_t at) {
  const std::size_t end = text.find("\n[", at);
  return text.substr(at, end == std::string_view::npos ? end : end + 1 - at);
}

bool sets(std::string_view body, std::string_view key) {
  for (std::size_t at = body.find(key); at != std::string_view::npos; at = body.find(key, at + 1)) {
    const std::size_t behind = body.find_first_not_of(" \t", at + key.size());
    if ((at == 0 || body[at - 1] == '\n') && behind != std::string_view::npos &&
        body[behind] == '=') {
      return true;
    }
  }
  return false;
}

/// Where to insert the line, with the header of its table if there is none yet.
std::optional<Insertion> insert_codex(const std::string& text, const std::string& line) {
  const std::string head = std::string{kCodexTable} + "\n";
  const std::string glue = text.empty() || text.ends_with('\n') ? "" : "\n";
  const std::string gap = text.empty() ? "" : "\n";
  if (text.find("shell_environment_policy") == std::string::npos) {
    return Insertion{text.size(), glue + gap + head + line};
  }
  // A line inside a multi-line string may look like a table header.
  if (text.find("\"\"\"") != std::string::npos || text.find("'''") != std::string::npos) {
    return std::nullopt;
  }
  const std::string rule = "\n" + text;  // offsets in it are one larger than in `text`
  const std::size_t table = rule.find("\n" + head);
  if (table != std::string::npos) {
    return Insertion{table + head.size(), line};
  }
  const std::size_t policy = rule.find("\n" + std::string{kCodexPolicy} + "]\n");
  if (policy == std::string::npos || rule.find(kCodexTable) != std::string::npos) {
    return std::nullopt;
  }
  const auto body = table_body(text, policy + kCodexPolicy.size() + 2);
  return sets(body, "set") || sets(body, "include_only")
             ? std::nullopt
             : std::optional{Insertion{text.size(), glue + gap + head + line}};
}

/// The lines of the table; empty if there is none.
std::string_view set_table(std::string_view text) {
  const std::size_t table = ("\n" + std::string{text}).find("\n" + std::string{kCodexTable} + "\n");
  return table == std::string::npos ? std::string_view{}
                                    : table_body(text, table + kCodexTable.size() + 1);
}

}  // namespace

std::string shell_text(const std::string& root) {
  const std::string bin = shell_word(root + "/.onelane/bin");
  return "# Written by `onelane init --agent`: the shims of this project first on PATH.\n"
         "case \"${PATH-}\" in " +
         bin + ":*) ;; *) export PATH=" + bin + ":\"${PATH-}\" ;; esac\n";
}

std::string agent_file(std::string_view agent) {
  return std::string{agent == "claude"   ? kClaude
                     : agent == "codex"  ? kCodex
                     : agent == "cursor" ? kCursor
                                         : std::string_view{}};
}

bool has_agent_lines(std::string_view agent, std::string_view text, const std::string& root) {
  if (agent == "codex") {
    return has_codex_line(text, root);
  }
  const auto settings = parse_json(text);
  if (!settings || !settings->is_object()) {
    return false;
  }
  if (agent == "claude") {
    return has_claude_hook(*settings);
  }
  const std::string key{kTerminal};
  if (!settings->contains(key) || !(*settings)[key].is_object()) {
    return false;
  }
  for (const auto& [name, value] : cursor_members()) {
    if ((*settings)[key].value(name, ordered_json{}) != value) {
      return false;
    }
  }
  return true;
}

Plan plan_agent(const project::Project& project, const std::string& agent) {
  Plan plan{.what = agent, .next = next_of(agent, project.root)};
  plan.changes.push_back(change_shell_file(project.root));
  if (!agent_file(agent).empty()) {
    plan.changes.push_back(change_agent(agent, project.root));
  }
  return plan;
}

std::string codex_text(const std::string& root) {
  return std::string{kCodexTable} + "\n" + codex_line(root);
}

bool has_codex_line(std::string_view text, const std::string& root) {
  return ("\n" + std::string{set_table(text)}).find("\n" + codex_line(root)) != std::string::npos;
}

Change change_codex(Change change, const std::string& root) {
  if (!settings::read_toml(change.before).error.empty()) {
    return refuse(std::move(change), "cannot be parsed");
  }
  for (const char* const name : {"PATH", "BASH_ENV"}) {
    if (sets(set_table(change.before), name)) {
      return refuse(std::move(change), std::string{"sets "} + name + " itself");
    }
  }
  change = insert(change, insert_codex(change.before, codex_line(root)));
  if (change.kind == Change::Kind::Write && !settings::read_toml(change.after()).error.empty()) {
    return refuse(std::move(change), "has a form that onelane does not change");
  }
  return change;
}

}  // namespace onelane::multicall::setup
