#include "multicall/init/codex.hpp"

#include "core/settings/toml_reader.hpp"
#include "multicall/init/agents.hpp"

namespace onelane::multicall::setup {
namespace {

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
