#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "core/sys/file_descriptor.hpp"
#include "multicall/doctor/checks.hpp"

namespace onelane::multicall::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestFile = std::size_t{4} << 20U;
constexpr std::size_t kMostFolders = 200;
constexpr std::string_view kPart = "/.onelane/bin/";

/// Folders below `folder`, without hidden ones and links; sorted, so that repeated runs say the
/// same.
std::vector<std::string> folders_in(const std::string& folder) {
  std::vector<std::string> list;
  std::error_code error;
  for (fs::directory_iterator at{folder, error}, end;
       !error && at != end && list.size() < kMostFolders; at.increment(error)) {
    std::error_code ignored;
    const std::string name = at->path().filename().string();
    if (!name.starts_with('.') && name != "node_modules" && !at->is_symlink(ignored) &&
        at->is_directory(ignored)) {
      list.push_back(at->path().string());
    }
  }
  std::ranges::sort(list);
  return list;
}

/// Files that remember where a tool was found: build folders two deep, editors' settings.
std::vector<std::string> memories_of(const std::string& root) {
  std::vector<std::string> list{root + "/CMakeCache.txt",     root + "/.vscode/settings.json",
                                root + "/.vscode/tasks.json", root + "/.idea/workspace.xml",
                                root + "/.idea/misc.xml",     root + "/.idea/cmake.xml"};
  for (const std::string& folder : folders_in(root)) {
    list.push_back(folder + "/CMakeCache.txt");
    for (const std::string& inner : folders_in(folder)) {
      list.push_back(inner + "/CMakeCache.txt");
    }
  }
  return list;
}

/// The paths of shims in `text`, each once.
std::vector<std::string> shims_in(std::string_view text) {
  constexpr std::string_view kEnds = " \t\r\n\"'`<>=;,|&()";
  std::vector<std::string> list;
  for (std::size_t at = text.find(kPart); at != std::string_view::npos;
       at = text.find(kPart, at + 1)) {
    const std::size_t before = text.find_last_of(kEnds, at);
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    const std::size_t end = std::min(text.find_first_of(kEnds, at + kPart.size()), text.size());
    std::string path{text.substr(begin, end - begin)};
    if (path.size() < 4096 && std::ranges::find(list, path) == list.end()) {
      list.push_back(std::move(path));
    }
  }
  return list;
}

}  // namespace

void look_at_caches(const Scene& scene, Findings& out) {
  for (const std::string& file : memories_of(scene.project->root)) {
    const auto text = sys::read_small_file(file.c_str(), kLongestFile);
    for (const std::string& path : shims_in(text.value_or(""))) {
      const bool is_cmake = file.ends_with("CMakeCache.txt");
      const bool is_gone = path.starts_with('/') && ::access(path.c_str(), X_OK) != 0;
      Finding finding{.what = "remembers the shim " + path + (is_gone ? ", which is gone" : ""),
                      .where = file};
      finding.todo = is_cmake ? "name the real tool: cmake -DCMAKE_MAKE_PROGRAM=\"$(onelane which "
                                "make)\" in that folder"
                              : "write the tool's name alone, so that PATH decides";
      is_gone ? out.wrong(std::move(finding)) : out.note(std::move(finding));
    }
  }
  if (out.empty()) {
    out.ok("no build folder and no editor remembers a shim's path");
  }
}

}  // namespace onelane::multicall::doctor
