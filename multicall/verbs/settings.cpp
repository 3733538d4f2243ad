#include "core/settings/settings.hpp"

#include <nlohmann/json.hpp>

#include "core/settings/trust.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/init/adoption.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

std::string root_here() {
  const auto project = project_here();
  return project ? project->root : std::string{};
}

int command_settings(std::span<char*> args) {
  Options app{"Print each setting with its value and where it was set.", "onelane settings"};
  bool as_json = false;
  bool run = false;
  app.add_flag("--json", as_json, "one JSON object");
  app.add_flag("--run", run, "show them as `onelane run` and seq see them");
  app.footer(exit_codes({{kExitBadSettings, "a value is bad; the others are printed"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  const auto loaded =
      load_settings(root_here(), run ? settings::Audience::Run : settings::Audience::Shim);
  nlohmann::json rows = nlohmann::json::object();
  std::string text;
  for (const settings::Row& row : settings::describe(loaded.settings)) {
    rows[row.name] = {{"value", row.value}, {"source", row.source}};
    std::string name = row.name + "=" + row.value;
    name.resize(std::max<std::size_t>(name.size() + 2, 36), ' ');
    text += name + row.source + "\n";
  }
  text = printable_lines(text);
  if (as_json) {
    text = json_line({{"schema", 1}, {"settings", rows}}) + "\n";
  }
  print(text);
  for (const settings::Problem& problem : loaded.problems) {
    say_always(settings::describe(problem));
  }
  return loaded.problems.empty() ? 0 : kExitBadSettings;
}

}  // namespace

constinit const Command verbs::settings{
    "settings", "print every setting with its source", &command_settings, {}, Group::Look};

namespace {

int command_trust(std::span<char*> args) {
  Options app{
      "Trust this project's onelane.toml in its present form: what it loosens (lists of the "
      "built-in tools, tool paths) counts from now on, until the file changes.",
      "onelane trust"};
  app.footer(exit_codes(
      {{1, "no project here has adopted onelane"},
       {kExitFailed, "there is no onelane.toml here, or the trust cannot be recorded"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  const auto project = project_here();
  if (!project || !project->adopted) {
    say_not_adopted();
    return 1;
  }
  const std::string path = project->root + "/onelane.toml";
  const auto content = sys::read_small_file(path.c_str(), 1 << 20);
  if (!content) {
    sys::throw_errno("read", path);
  }
  const std::string directory = own_trust_directory();
  if (directory.empty()) {
    say_always("onelane trust: neither HOME nor XDG_DATA_HOME says where to keep it");
    return kExitFailed;
  }
  settings::trust(directory, path, *content);
  print(printable_lines("trusted: " + path) + "\n");
  return 0;
}

}  // namespace

constinit const Command verbs::trust{
    "trust", "allow what this project's onelane.toml loosens", &command_trust, {}, Group::SetUp};

}  // namespace onelane::multicall
