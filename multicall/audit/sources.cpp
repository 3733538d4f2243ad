#include "multicall/audit/sources.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "multicall/audit/prefixes.hpp"

namespace onelane::multicall::audit {
namespace {

struct Line {
  std::string_view text;
  int number = 0;
};

/// The lines of a text; a line that ends in a backslash is joined with the next one.
std::vector<Line> logical_lines(std::string_view content) {
  std::vector<Line> lines;
  int number = 1;
  for (std::size_t at = 0; at < content.size();) {
    std::size_t end = std::min(content.find('\n', at), content.size());
    int count = 1;
    while (end > at && end < content.size() && content[end - 1] == '\\') {
      end = std::min(content.find('\n', end + 1), content.size());
      ++count;
    }
    lines.push_back({content.substr(at, end - at), number});
    number += count;
    at = end + 1;
  }
  return lines;
}

std::string_view without(std::string_view text, std::string_view characters) {
  text.remove_prefix(std::min(text.find_first_not_of(characters), text.size()));
  return text;
}

/// A recipe as make passes it to the shell: `$$` is `$`, `$(NAME)` a variable, other `$(…)`
/// unknown.
std::string as_shell(std::string_view recipe) {
  std::string out;
  for (std::size_t i = 0; i < recipe.size(); ++i) {
    if (recipe[i] != '$' || i + 1 == recipe.size()) {
      out += recipe[i];
      continue;
    }
    const char next = recipe[++i];
    if (next != '(' && next != '{') {
      out += next == '$' ? std::string{"$"} : std::string{"$"} + next;
      continue;
    }
    const std::size_t end = std::min(recipe.find(next == '(' ? ')' : '}', i), recipe.size());
    const std::string_view name = recipe.substr(i + 1, end - i - 1);
    const bool plain = name.find_first_of(" $,") == std::string_view::npos;
    out += plain ? "$" + std::string{name} : std::string{"$unknown"};
    i = end;
  }
  return out;
}

std::vector<Script> scripts_of_make(std::string_view content) {
  std::vector<Script> scripts;
  for (const Line& line : logical_lines(content)) {
    if (line.text.starts_with('\t')) {
      scripts.push_back({as_shell(without(line.text, "\t @+-")), line.number});
    }
  }
  return scripts;
}

/// Recipes of a justfile, which are indented; those with a shebang only if it names a shell.
std::vector<Script> scripts_of_just(std::string_view content) {
  std::vector<Script> scripts;
  bool is_foreign = false;
  for (const Line& line : logical_lines(content)) {
    if (!line.text.starts_with(' ') && !line.text.starts_with('\t')) {
      is_foreign = false;
      continue;
    }
    const std::string_view text = without(line.text, " \t@-");
    if (text.starts_with("#!")) {
      is_foreign = text.find("sh") == std::string_view::npos;
    } else if (!is_foreign) {
      scripts.push_back({std::string{text}, line.number});
    }
  }
  return scripts;
}

/// The JSON string at the start of `text`, with its quotes and escapes.
std::string_view quoted(std::string_view text) {
  std::size_t end = 1;
  while (end < text.size() && text[end] != '"' && text[end] != '\n') {
    end += text[end] == '\\' ? 2U : 1U;
  }
  return text.substr(0, end + 1);
}

/// The pairs of adjacent strings in a JSON text, unparsed, with their lines. The value tells a key
/// apart from the same word elsewhere.
std::map<std::pair<std::string_view, std::string_view>, int> lines_of_pairs(
    std::string_view content) {
  std::map<std::pair<std::string_view, std::string_view>, int> lines;
  int line = 1;
  for (std::size_t at = 0; at < content.size();) {
    if (content[at] != '"') {
      line += content[at++] == '\n' ? 1 : 0;
      continue;
    }
    const std::string_view key = quoted(content.substr(at));
    const std::string_view behind = without(content.substr(at + key.size()), " \t\r\n:");
    if (behind.starts_with('"')) {
      lines.try_emplace({key, quoted(behind)}, line);
    }
    line += static_cast<int>(std::ranges::count(key, '\n'));
    at += key.size();
  }
  return lines;
}

std::vector<Script> scripts_of_package(std::string_view content) {
  const auto document = nlohmann::json::parse(content, nullptr, false, true);
  std::vector<Script> scripts;
  if (!document.is_object() || !document.contains("scripts") || !document["scripts"].is_object()) {
    return scripts;
  }
  const auto lines = lines_of_pairs(content);
  for (const auto& [name, value] : document["scripts"].items()) {
    if (value.is_string()) {
      const std::string key = nlohmann::json(name).dump();
      const auto at = lines.find({key, value.dump()});
      scripts.push_back({value.get<std::string>(), at == lines.end() ? 1 : at->second});
    }
  }
  std::ranges::stable_sort(scripts, {}, &Script::line);
  return scripts;
}

/// The values of `commands = …`, with the indented lines after it.
std::vector<Script> scripts_of_tox(std::string_view content) {
  std::vector<Script> scripts;
  bool in_commands = false;
  for (const Line& line : logical_lines(content)) {
    std::string_view text = line.text;
    const bool indented = text.starts_with(' ') || text.starts_with('\t');
    if (!indented) {
      const std::size_t equals = text.find('=');
      std::string_view key = text.substr(0, equals);
      key = key.substr(0, key.find_last_not_of(" \t") + 1);
      in_commands =
          equals != std::string_view::npos && is_in(key, "commands commands_pre commands_post");
      text = in_commands ? text.substr(equals + 1) : std::string_view{};
    }
    text = without(text, " \t-!");
    if (in_commands && !text.empty()) {
      scripts.push_back({std::string{text}, line.number, Setting::Environment});
    }
  }
  return scripts;
}

/// The string literals in `text`, up to the closing parenthesis of the arguments.
std::vector<std::string> literals(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < text.size() && text[i] != ')';) {
    if (text[i] == '"' || text[i] == '\'') {
      const std::size_t end = std::min(text.find(text[i], i + 1), text.size());
      words.emplace_back(text.substr(i + 1, end - i - 1));
      i = end;
    } else if (text[i] == '#') {
      i = std::min(text.find('\n', i), text.size() - 1);
    }
    ++i;
  }
  return words;
}

/// The arguments of each `session.run(…)` in a noxfile.
std::vector<Script> scripts_of_nox(std::string_view content) {
  constexpr std::string_view kCall = "session.run";
  constexpr std::size_t kLongestCall = 4096;
  std::vector<Script> scripts;
  int number = 0;
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    std::string_view line = content.substr(begin, end - begin);
    line = line.substr(0, line.find('#'));
    ++number;
    for (std::size_t at = line.find(kCall); at != std::string_view::npos;
         at = line.find(kCall, at + 1)) {
      const std::string_view behind = content.substr(begin + at + kCall.size(), kLongestCall);
      if (behind.starts_with("(") || behind.starts_with("_always(")) {
        scripts.push_back({{}, number, Setting::Environment, literals(behind)});
      }
    }
    begin = end + 1;
  }
  return scripts;
}

bool is_yaml(std::string_view path) {
  return path.ends_with(".yml") || path.ends_with(".yaml");
}

}  // namespace

Kind kind_of(std::string_view path) {
  const std::string_view name = base_of(path);
  const std::string_view folder = path.substr(0, path.size() - name.size());
  if (is_in(name, "Makefile makefile GNUmakefile") || name.ends_with(".mk")) {
    return Kind::Makefile;
  }
  if (name == "package.json") {
    return Kind::PackageJson;
  }
  if (is_in(name, "justfile Justfile .justfile")) {
    return Kind::Just;
  }
  if (name == "tox.ini") {
    return Kind::Tox;
  }
  if (name == "noxfile.py") {
    return Kind::Nox;
  }
  const bool known = is_in(name,
                           ".pre-commit-config.yaml .gitlab-ci.yml lefthook.yml "
                           ".lefthook.yml lefthook-local.yml Taskfile.yml Taskfile.yaml");
  if (known || (is_yaml(name) && (folder == ".github/workflows/" || folder == ".gitlab/ci/" ||
                                  folder.starts_with(".github/actions/")))) {
    return Kind::Yaml;
  }
  const bool in_scripts = folder.empty() || folder.starts_with("scripts/") ||
                          folder.starts_with("bin/") || folder.starts_with("ci/") ||
                          folder.starts_with("tools/");
  return folder == ".husky/" || (name.ends_with(".sh") && in_scripts) ? Kind::Shell : Kind::None;
}

Scripts scripts_in(Kind kind, std::string_view content) {
  switch (kind) {
    case Kind::None:
      return {};
    case Kind::Shell:
      return {.all = {{std::string{content}, 1}}, .fault = {}};
    case Kind::Makefile:
      return {.all = scripts_of_make(content), .fault = {}};
    case Kind::Just:
      return {.all = scripts_of_just(content), .fault = {}};
    case Kind::Yaml:
      return scripts_of_yaml(content);
    case Kind::PackageJson:
      return {.all = scripts_of_package(content), .fault = {}};
    case Kind::Tox:
      return {.all = scripts_of_tox(content), .fault = {}};
    case Kind::Nox:
      return {.all = scripts_of_nox(content), .fault = {}};
  }
  return {};
}

}  // namespace onelane::multicall::audit
