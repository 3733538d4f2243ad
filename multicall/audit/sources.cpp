#include "multicall/audit/sources.hpp"

#include <fmt/core.h>
#include <yaml.h>

#include <algorithm>
#include <map>
#include <new>
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

/// Keys whose value is a command or a list of commands, in all the file formats we read.
constexpr std::string_view kKeys =
    "after_script before_script before_install cmd cmds command commands entry install run script";

/// libyaml takes time with the square of the depth; no hand-written file has a tenth of this.
constexpr std::size_t kDeepestYaml = 200;

/// The events of a YAML text, from libyaml. In events an alias is just a name, so that each script
/// is found only once, where it is written.
class YamlEvents {
 public:
  explicit YamlEvents(std::string_view content) {
    if (yaml_parser_initialize(&parser_) == 0) {
      throw std::bad_alloc{};
    }
    // libyaml takes unsigned char.
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(content.data()),
                                 content.size());
  }
  YamlEvents(const YamlEvents&) = delete;
  YamlEvents& operator=(const YamlEvents&) = delete;
  ~YamlEvents() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }

  /// The next event, valid until the next call; null at the end or after a fault.
  const yaml_event_t* next() {
    yaml_event_delete(&event_);
    return yaml_parser_parse(&parser_, &event_) != 0 && event_.type != YAML_STREAM_END_EVENT
               ? &event_
               : nullptr;
  }

  /// "not YAML: line 3: did not find expected key"; empty if the whole text could be read.
  [[nodiscard]] std::string fault() const {
    if (parser_.error == YAML_NO_ERROR) {
      return "";
    }
    const std::string place = parser_.error == YAML_READER_ERROR
                                  ? fmt::format("byte {}", parser_.problem_offset)
                                  : fmt::format("line {}", parser_.problem_mark.line + 1);
    return fmt::format("not YAML: {}: {}", place,
                       parser_.problem == nullptr ? "cannot be read" : parser_.problem);
  }

 private:
  yaml_parser_t parser_{};
  yaml_event_t event_{};
};

std::vector<std::string_view> lines_of(std::string_view content) {
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t end = std::min(content.find('\n', at), content.size());
    lines.push_back(content.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// Finds the commands in the events.
class YamlReader {
 public:
  explicit YamlReader(std::string_view content) : lines_{lines_of(content)}, events_{content} {}

  Scripts read() {
    while (const yaml_event_t* event = levels_.size() < kDeepestYaml ? events_.next() : nullptr) {
      take(*event);
    }
    out_.fault = levels_.size() < kDeepestYaml ? events_.fault() : "is nested too deeply";
    return std::move(out_);
  }

 private:
  /// A map or list that is open.
  struct Level {
    bool is_map = false;
    bool has_commands = false;  ///< The next value is a command or a list of commands.
    bool at_key = false;        ///< In a map: a key comes next.
  };

  void take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_SCALAR_EVENT:
        scalar(event);
        break;
      case YAML_ALIAS_EVENT:
        pass_value(false);
        break;
      case YAML_MAPPING_START_EVENT:
        levels_.push_back({.is_map = true, .at_key = true});
        break;
      case YAML_SEQUENCE_START_EVENT:
        levels_.push_back({.has_commands = wants_command()});
        break;
      case YAML_MAPPING_END_EVENT:
      case YAML_SEQUENCE_END_EVENT:
        levels_.pop_back();
        pass_value(false);
        break;
      default:
        break;
    }
  }

  [[nodiscard]] bool wants_command() const {
    return !levels_.empty() && !levels_.back().at_key && levels_.back().has_commands;
  }

  /// After a key comes its value, after a value the next key.
  void pass_value(bool is_command_key) {
    if (levels_.empty() || !levels_.back().is_map) {
      return;
    }
    Level& map = levels_.back();
    map.has_commands = map.at_key && is_command_key;
    map.at_key = !map.at_key;
  }

  void scalar(const yaml_event_t& event) {
    const auto& data = event.data.scalar;
    const std::string_view text{reinterpret_cast<const char*>(data.value), data.length};
    if (wants_command() && !text.empty()) {
      const bool is_folded = data.style == YAML_FOLDED_SCALAR_STYLE;
      const bool is_block = is_folded || data.style == YAML_LITERAL_SCALAR_STYLE;
      out_.all.push_back({is_folded ? folded_lines(event) : std::string{text},
                          static_cast<int>(event.start_mark.line) + (is_block ? 2 : 1)});
    }
    pass_value(is_in(text, kKeys));
  }

  /// A folded text is one line for the shell. Returns its lines as they are in the file, joined
  /// with backslashes, so that a finding has the right line number.
  std::string folded_lines(const yaml_event_t& event) {
    std::string text;
    const std::size_t end = std::min(event.end_mark.line, lines_.size());
    for (std::size_t i = event.start_mark.line + 1; i < end; ++i) {
      std::string_view line = lines_[i];
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      line.remove_suffix(line.ends_with('\r') ? 1 : 0);
      text += std::string{line} + (line.empty() ? "\n" : " \\\n");
    }
    return text;
  }

  std::vector<std::string_view> lines_;
  YamlEvents events_;
  std::vector<Level> levels_;
  Scripts out_;
};

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

Scripts scripts_of_yaml(std::string_view content) {
  return YamlReader{content}.read();
}

}  // namespace onelane::multicall::audit
