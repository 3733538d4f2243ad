#include "multicall/doctor/scene.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <set>

#include "core/tool/find.hpp"
#include "multicall/context/place.hpp"
#include "multicall/doctor/finding.hpp"
#include "multicall/term/words.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall::doctor {
namespace {

namespace fs = std::filesystem;

/// Link names are handed to shells and printed, so only a plain name counts as a tool.
bool is_plain(const std::string& name) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
  return !name.empty() && name.find_first_not_of(kLetters) == std::string::npos &&
         name.front() != '-' && name.front() != '.';
}

std::vector<std::string> tools_of(const Scene& scene) {
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at{scene.bin, error}, end; !error && at != end; at.increment(error)) {
    names.insert(at->path().filename().string());
  }
  if (scene.manifest) {
    names.merge(scene.manifest->names("link"));
  }
  for (const char* own : {"onelane", "seq", "safe-run"}) {
    names.erase(own);
  }
  std::erase_if(names, [](const std::string& name) { return !is_plain(name); });
  return {names.begin(), names.end()};
}

struct Home {
  std::string_view part;
  Whose whose;
};

/// Parts of a path that show which program owns the directory.
constexpr auto kHomes = std::to_array<Home>({
    {"/node_modules/.bin/", {"node_modules"}},
    {"/.asdf/shims/", {"asdf", true}},
    {"/mise/shims/", {"mise", true}},
    {"/mise/installs/", {"mise"}},
    {"/.nodenv/shims/", {"nodenv", true}},
    {"/.pyenv/shims/", {"pyenv", true}},
    {"/.rbenv/shims/", {"rbenv", true}},
    {"/.volta/bin/", {"volta", true}},
    {"/.proto/shims/", {"proto", true}},
    {"/.safe-chain/", {"safe-chain", true}},
    {"/.pmg/bin/", {"pmg", true}},
    {"/ccache/", {"ccache", true}},
    {"/.nvm/versions/", {"nvm"}},
    {"/fnm_multishells/", {"fnm"}},
    {"/git-core/", {"git's own directory"}},
});

}  // namespace

Scene scene_here() {
  Scene scene;
  const char* path = std::getenv("PATH");
  scene.path = path == nullptr ? "" : path;
  scene.project = project_here();
  scene.loaded =
      load_settings(scene.project ? scene.project->root : std::string{}, settings::Audience::Shim);
  if (!scene.is_adopted()) {
    return scene;
  }
  scene.bin = scene.project->root + "/.onelane/bin";
  scene.placed = *scene.project;
  try {
    place_lane(scene.placed, scene.loaded.settings);
    scene.manifest.emplace(scene.project->state_dir);
  } catch (const std::exception&) {
    // The checks of owners and files report the cause.
  }
  scene.tools = tools_of(scene);
  return scene;
}

std::vector<std::string> entries_of(const std::string& path) {
  std::vector<std::string> list;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find(':', at), path.size());
    list.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return list;
}

Reached reached(const std::string& name, const std::string& path) {
  for (const tool::Candidate& candidate : tool::all_candidates(name, path.c_str())) {
    if (candidate.verdict == tool::Verdict::Real) {
      return {candidate.path, false};
    }
    if (candidate.verdict == tool::Verdict::Self ||
        candidate.verdict == tool::Verdict::OnelaneCopy) {
      return {candidate.path, true};
    }
  }
  return {};
}

std::vector<std::string> unshimmed(const Scene& scene, const std::string& path) {
  std::vector<std::string> names;
  std::ranges::copy_if(scene.tools, std::back_inserter(names),
                       [&](const std::string& name) { return !reached(name, path).is_shim; });
  return names;
}

std::string path_without_shims(const Scene& scene) {
  std::string path;
  for (const std::string& entry : entries_of(scene.path)) {
    const bool ours =
        !scene.tools.empty() && tool::is_onelane((entry + "/" + scene.tools.front()).c_str());
    if (!ours) {
      path += (path.empty() ? "" : ":") + entry;
    }
  }
  return path;
}

Whose whose_directory(const std::string& directory) {
  const std::string slashed = directory + "/";
  for (const Home& home : kHomes) {
    if (slashed.find(home.part) != std::string::npos) {
      return home.whose;
    }
  }
  const std::size_t slash = directory.rfind('/');
  const std::string above = slash == std::string::npos ? "" : directory.substr(0, slash);
  if (!above.empty() && ::access((above + "/pyvenv.cfg").c_str(), F_OK) == 0) {
    return {"a Python environment"};
  }
  if (!above.empty() && ::access((above + "/conda-meta").c_str(), F_OK) == 0) {
    return {"a conda environment"};
  }
  return {};
}

std::string path_line(const Scene& scene) {
  return "export PATH=" + shell_word(scene.bin) + ":\"$PATH\"";
}

}  // namespace onelane::multicall::doctor
