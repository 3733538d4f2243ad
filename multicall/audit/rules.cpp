#include "multicall/audit/rules.hpp"

#include <algorithm>
#include <array>

#include "multicall/audit/prefixes.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall::audit {
namespace {

using List = std::span<const std::string>;

/// A command that puts its own directory of executables before the shims.
struct Runner {
  std::string_view name;
  std::string_view verbs;  ///< One of them must follow; empty: any command may.
  std::string_view options_with_value;
};
constexpr std::string_view kUvOptions =
    "--with --with-editable --with-requirements --extra --no-extra --group --no-group --only-group "
    "--python -p --project --directory --env-file --package --index --default-index --config-file";
constexpr auto kRunners = std::to_array<Runner>({
    {"bunx", "", "-p --package"},
    {"hatch", "run", "-e --env -p --project"},
    {"npx", "", "-p --package -w --workspace -c --call"},
    {"pdm", "run", "-p --project"},
    {"pipenv", "run", ""},
    {"pnpm", "exec dlx", "-C --dir --filter -F"},
    {"poetry", "run", "-C --directory -P --project"},
    {"uv", "run", kUvOptions},
    {"uvx", "", "--with --from -p --python"},
    {"yarn", "exec dlx run", "--cwd"},
});

/// Test runners and build tools, which rarely run for just a moment.
constexpr std::string_view kHeavy =
    "ava coverage cypress jest karma mocha nox playwright tox tsc turbo webpack";

/// Package managers that do the same work as npm.
constexpr std::string_view kManagers = "bun pnpm yarn";
constexpr std::string_view kManagerVerbs = "add build ci i install run t test up update upgrade";
constexpr std::string_view kServices = "dev preview serve start storybook watch";

/// The text of a script gives a policy no facts.
class NoFacts : public shims::Facts {
 public:
  [[nodiscard]] bool stdin_is_terminal() const override { return false; }
  [[nodiscard]] std::optional<std::string> environment(std::string_view) const override {
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::string> git_alias(std::string_view) const override {
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::string> npm_script(std::string_view) const override {
    return std::nullopt;
  }
  [[nodiscard]] bool git_hook(std::string_view) const override { return false; }
};

/// True if the call would wait for the lane when called through its shim.
bool takes_lane(std::string_view tool, List args) {
  const shims::Shim* shim = shims::find_shim(tool);
  if (shim == nullptr) {
    return true;
  }
  const std::vector<std::string_view> views{args.begin(), args.end()};
  const shims::Class cls = shim->classify(views, NoFacts{}).cls;
  return cls == shims::Class::Lane || cls == shims::Class::Editor;
}

std::string joined(List words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

std::string call_of(std::string_view tool, List args) {
  return std::string{tool} + (args.empty() ? "" : " ") + joined(args);
}

bool is_python(std::string_view word) {
  const std::string_view base = base_of(word);
  const bool numbered = base.starts_with("python") &&
                        base.substr(6).find_first_not_of("0123456789.") == std::string_view::npos;
  return numbered || base == "py" || is_in(base, "$PYTHON ${PYTHON} $PY ${PY} {envpython}");
}

/// The module after `-m`, and its arguments; empty if there is none.
List module_of(List args) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "-m") {
      return args.subspan(std::min(i + 1, args.size()));
    }
    if (!args[i].starts_with("-")) {
      i += i > 0 && is_in(args[i - 1], "-X -W") ? 0 : args.size();
    }
  }
  return {};
}

/// The tool that a command runs in the end, its arguments, and the way it is reached.
struct Target {
  std::string tool;
  List args;
  std::string_view way;  ///< Empty: by its name.
};

Target target_of(List words) {
  const std::string_view base = base_of(words.front());
  const List args = words.subspan(1);
  if (is_python(words.front()) || (base == "coverage" && !args.empty() && args[0] == "run")) {
    const List module = module_of(base == "coverage" ? args.subspan(1) : args);
    if (!module.empty()) {
      return {module.front(), module.subspan(1), base == "coverage" ? "coverage" : "python -m"};
    }
  }
  if (base == "node" && !args.empty()) {
    constexpr std::string_view kPart = "node_modules/";
    const std::size_t at = args.front().find(kPart);
    if (at != std::string::npos) {
      const std::string package = args.front().substr(at + kPart.size());
      return {package.substr(0, package.find('/')), args.subspan(1), "node"};
    }
  }
  const bool has_path = words.front().find('/') != std::string::npos;
  return {std::string{base}, args, has_path ? "path" : ""};
}

std::optional<Detour> behind_runner(List words, const Tools& tools) {
  const std::string_view name = base_of(words.front());
  const auto* runner = std::ranges::find(kRunners, name, &Runner::name);
  if (runner == kRunners.end() || tools.linked.contains(name)) {
    return std::nullopt;
  }
  List rest = skip_options(words.subspan(1), runner->options_with_value);
  if (!runner->verbs.empty()) {
    if (rest.empty() || !is_in(rest.front(), runner->verbs)) {
      return std::nullopt;
    }
    rest = skip_options(rest.subspan(1), runner->options_with_value);
  }
  if (rest.empty()) {
    return std::nullopt;
  }
  Target target = target_of(rest);
  target.tool = target.tool.substr(0, target.tool.find('@', 1));  // npx vitest@3
  const bool adopted = tools.adopted.contains(target.tool);
  if ((!adopted && !is_in(target.tool, kHeavy)) ||
      (adopted && !takes_lane(target.tool, target.args))) {
    return std::nullopt;
  }
  return Detour{
      target.tool, std::string{name} + " has a directory of its own before the shims",
      "onelane init --tool " + std::string{name} + ", or onelane run -- " + joined(words)};
}

std::optional<Detour> by_manager(List words, const Tools& tools) {
  const std::string_view name = words.front();
  if (!is_in(name, kManagers) || tools.linked.contains(name)) {
    return std::nullopt;
  }
  const List rest = skip_options(words.subspan(1), "-C --dir --cwd --filter -F");
  const bool bare = rest.empty() && name == "yarn" && words.size() == 1;
  const bool works = !rest.empty() && is_in(rest.front(), kManagerVerbs) &&
                     (rest.size() < 2 || !is_in(rest[1], kServices));
  if (!bare && !works) {
    return std::nullopt;
  }
  return Detour{std::string{name}, "no shim stands before " + std::string{name},
                "onelane init --tool " + std::string{name}};
}

bool is_tool_directory(std::string_view word) {
  const std::string_view directory = word.substr(0, word.rfind('/'));
  const std::string_view last = base_of(directory);
  return word.find(".onelane/bin/") == std::string_view::npos &&
         (is_in(last, "bin .bin sbin Scripts {envbindir} $BIN") || last.ends_with("BIN}") ||
          word.starts_with("/"));
}

std::optional<Detour> by_way(const Target& target, List words, const Tools& tools) {
  const std::string own = call_of(target.tool, target.args);
  const std::string run = "onelane run -- " + joined(words);
  const bool linked = tools.linked.contains(target.tool);
  if (target.way == "path" && is_tool_directory(words.front())) {
    return Detour{target.tool, "a path goes past the shim", linked ? own : run};
  }
  if (target.way == "python -m" || target.way == "node") {
    const std::string program{base_of(words.front())};
    return Detour{target.tool, program + " runs it without its name",
                  linked ? own + ", or " + run : run};
  }
  if (target.way == "coverage") {
    return Detour{target.tool, "coverage runs it without its name", run};
  }
  return std::nullopt;
}

std::optional<Detour> by_name(const Target& target, const Tools& tools, Setting setting) {
  const bool is_system = is_in(target.tool, "git make npm");
  const bool whole = tools.linked.contains("tox") || tools.linked.contains("nox");
  if (setting == Setting::Environment && !is_system && !whole) {
    return Detour{target.tool, "its environment has a " + target.tool + " of its own",
                  "onelane init --tool tox (or nox), so that all of it takes the lane"};
  }
  if (!tools.linked.contains(target.tool)) {
    return Detour{target.tool, "no shim stands before " + target.tool,
                  "onelane init --tool " + target.tool};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Detour> find_detour(List words, const Tools& tools, Setting setting) {
  const Stripped stripped = strip(words);
  if (stripped.rest.empty() || stripped.in_lane) {
    return std::nullopt;
  }
  const Target target = target_of(stripped.rest);
  // The program that runs the tool is adopted itself: it has waited for the lane already.
  const bool waits = !target.way.empty() && tools.linked.contains(base_of(stripped.rest.front())) &&
                     target.way != "path";
  if (!tools.adopted.contains(target.tool) || !takes_lane(target.tool, target.args) || waits) {
    auto detour = behind_runner(stripped.rest, tools);
    return detour ? detour : by_manager(stripped.rest, tools);
  }
  if (stripped.switched_off) {
    return Detour{target.tool, "ONELANE=off switches the shims off", joined(stripped.rest)};
  }
  if (!stripped.loses_path.empty() && target.way.empty()) {
    const std::string way{stripped.loses_path};
    return Detour{target.tool, way + " removes the shims from PATH",
                  way == "sudo"     ? "sudo env \"PATH=$PATH\" " + joined(stripped.rest)
                  : way == "env -i" ? "env -i PATH=\"$PATH\" " + joined(stripped.rest)
                                    : joined(stripped.rest)};
  }
  if (auto detour = by_way(target, stripped.rest, tools)) {
    return detour;
  }
  return target.way.empty() ? by_name(target, tools, setting) : std::nullopt;
}

std::optional<std::string> inner_script(List words) {
  const Stripped stripped = strip(words);
  if (stripped.rest.empty() || stripped.in_lane ||
      !is_in(base_of(stripped.rest.front()), "sh bash dash zsh ksh")) {
    return std::nullopt;
  }
  for (std::size_t i = 1; i + 1 < stripped.rest.size(); ++i) {
    const std::string& word = stripped.rest[i];
    if (word.starts_with("-") && !word.starts_with("--") && word.ends_with('c')) {
      return stripped.rest[i + 1];
    }
  }
  return std::nullopt;
}

}  // namespace onelane::multicall::audit
