#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "core/lane/table.hpp"
#include "core/settings/edit.hpp"
#include "core/sys/text.hpp"
#include "core/tool/find.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/init/adoption.hpp"
#include "multicall/init/change.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

namespace fs = std::filesystem;

/// State directories of all work trees that share the project's repository.
std::vector<std::string> state_directories(const project::Project& project) {
  std::vector<std::string> out{project.state_dir};
  if (!project.common_dir.empty()) {
    out.push_back(project.common_dir + "/onelane");
    std::error_code error;
    for (const auto& entry : fs::directory_iterator{project.common_dir + "/worktrees", error}) {
      out.push_back(entry.path().string() + "/onelane");
    }
  }
  return out;
}

bool has_live_ticket(const std::string& state) {
  const auto table = lane::Table::open_existing(state + "/lane");
  if (!table) {
    if (errno != ENOENT && errno != ENOTDIR) {
      throw open_error(state + "/lane", errno);
    }
    return false;
  }
  const auto entries = table->entries(table->header().high);
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    if (entries[slot].state != lane::State::Free && table->is_alive(slot)) {
      return true;
    }
  }
  return false;
}

/// Rewrites a project file through `change`; removes it if init had created it and nothing else is
/// left in it.
template <class Change>
void change_file(const std::string& root, const std::string& name, const Manifest& manifest,
                 const Change& change) {
  const std::string path = root + "/" + name;
  if (!fs::exists(path)) {
    return;
  }
  const std::string text = change(read_text(path));
  if (text.empty() && manifest.has("created", name)) {
    fs::remove(path);
  } else {
    write_text(path, text);
  }
}

void remove_files(const std::string& root, const Manifest& manifest) {
  std::error_code error;
  for (const std::string& file : setup::take_back(root, manifest)) {
    say_always("kept " + sys::clean(file) + ": changed since init wrote to it");
  }
  for (const std::string& name : manifest.names("link")) {
    const std::string path = root + "/.onelane/bin/" + name;
    if (fs::is_symlink(path, error) && tool::is_onelane(path.c_str())) {
      fs::remove(path, error);
    }
  }
  if (manifest.has("line", ".envrc")) {
    change_file(root, ".envrc", manifest, [](const std::string& text) {
      return settings::remove_line(text, "PATH_add .onelane/bin");
    });
  }
  if (manifest.has("block", ".env.development")) {
    change_file(root, ".env.development", manifest,
                [](const std::string& text) { return settings::remove_block(text); });
  }
  std::set<std::string> tools = manifest.names("tool");
  tools.merge(manifest.names("pass"));
  if (!tools.empty()) {
    change_file(root, "onelane.toml", manifest,
                [&](const std::string& text) { return settings::remove_tools(text, tools); });
  }
  if (read_text(root + "/.onelane/.gitignore") == "*\n") {
    fs::remove(root + "/.onelane/.gitignore", error);
  }
  // Only if empty: what others put there stays.
  fs::remove(root + "/.onelane/bin", error);
  fs::remove(root + "/.onelane/state", error);
  fs::remove(root + "/.onelane", error);
}

int command_uninit(std::span<char*> args) {
  Options app{"Remove what `onelane init` made, and nothing else.", "onelane uninit"};
  app.footer(exit_codes({{0, "removed, or there was nothing to remove"},
                         {1, "a call runs or waits; nothing removed"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  const auto project = project_here();
  if (!project || !project->adopted) {
    say_always("no project here has adopted onelane; nothing to remove");
    return 0;
  }
  const auto states = state_directories(*project);
  for (const std::string& state : states) {
    if (has_live_ticket(state) || has_live_ticket(state + "/git")) {
      say_always("a call runs or waits in " + state + " (see `onelane status`); nothing removed");
      return 1;
    }
  }
  const Manifest manifest{project->state_dir};
  for (const std::string& state : states) {
    fs::remove_all(state);
  }
  remove_files(project->root, manifest);
  print(printable_lines("onelane removed from " + project->root) + "\n");
  return 0;
}

}  // namespace

constinit const Command verbs::uninit{
    "uninit", "remove what `init` made", &command_uninit, {}, Group::SetUp};

}  // namespace onelane::multicall
