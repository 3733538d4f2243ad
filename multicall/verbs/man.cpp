#include "core/settings/schema.hpp"
#include "core/settings/settings.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/cli/manual.hpp"
#include "multicall/term/print.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/verbs/table.hpp"

namespace onelane::multicall {
namespace {

std::string built_in_value(std::size_t index) {
  constexpr std::uint64_t kNoMemory = 0;  // defaults that depend on the machine are given in words
  const auto rows = settings::describe(settings::built_in(settings::Audience::Shim, kNoMemory));
  const std::string& name = rows[index].name;
  if (name == "memory_limit_mb") {
    return "25 % of the memory, at least 2048; 2048 for onelane run";
  }
  if (name == "tree_memory_limit_mb") {
    return "80 % of the memory";
  }
  if (name == "system_reserve_mb") {
    return "3 % of the memory";
  }
  const auto run = settings::describe(settings::built_in(settings::Audience::Run, kNoMemory));
  const std::string shown = rows[index].value.empty() ? "empty" : rows[index].value;
  return run[index].value == rows[index].value
             ? shown
             : shown + "; " + run[index].value + " for onelane run";
}

/// Every setting, as a definition list.
std::string settings_page() {
  std::string out;
  std::size_t index = 0;
  for (const settings::Field& field : settings::all_fields()) {
    const std::string name{field.name};
    std::string text = markdown(field.meaning) +
                       ".  \n    Accepted: " + markdown(settings::accepted(field)) +
                       ".  \n    Built in: " + markdown(built_in_value(index++)) + ".";
    if (field.allowed == settings::Allowed::ProjectFiles) {
      text += "  \n    In the files of a project only.";
    }
    if (field.seed) {
      text += "  \n    `" + settings::upper_name(name) +
              "` in the environment counts for `onelane run`, too.";
    }
    out += definition(name, text);
  }
  return out;
}

int command_man(std::span<char*> args) {
  Options app{"Print a page of the manual, in Markdown, with the verbs and the settings filled in.",
              "onelane __man"};
  std::string path;
  app.add_option("FILE", path, "the page, from docs/")->required()->check(not_empty());
  app.footer(exit_codes({}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  auto text = sys::read_small_file(path.c_str(), std::size_t{1} << 20);
  if (!text) {
    sys::throw_errno("read", path);
  }
  print(filled_page(std::move(*text), collect_tree(all_commands()), settings_page()));
  return 0;
}

}  // namespace

constinit const Command verbs::man{
    "__man", "fill in a page of the manual", &command_man, {}, Group::Hidden};

}  // namespace onelane::multicall
