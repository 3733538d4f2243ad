#include "multicall/doctor/scene.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "core/tool/find.hpp"
#include "multicall/context/lanes_here.hpp"
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

/// Prints `onelane-doctor:INDEX:PATH` for each argument after $0.
constexpr const char* kScript =
    "i=0; for t do printf 'onelane-doctor:%d:%s\\n' \"$i\" \"$(command -v \"$t\")\"; "
    "i=$((i+1)); done";
constexpr std::string_view kMark = "onelane-doctor:";

std::vector<Detour> detours_in(const Scene& scene, std::string_view out) {
  std::vector<Detour> list;
  for (std::size_t at = out.find(kMark); at != std::string_view::npos; at = out.find(kMark, at)) {
    at += kMark.size();
    const std::string_view line = out.substr(at, out.find('\n', at) - at);
    const char* const stop = line.data() + line.size();
    std::size_t index = scene.tools.size();
    const auto [end, error] = std::from_chars(line.data(), stop, index);
    if (error != std::errc{} || end == stop || index >= scene.tools.size()) {
      continue;
    }
    std::string found{end + 1, stop};
    if (!found.starts_with('/') || !tool::is_onelane(found.c_str())) {
      list.push_back({scene.tools[index], std::move(found)});
    }
  }
  return list;
}

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

std::string_view word_of(Level level) noexcept {
  switch (level) {
    case Level::Ok:
      return "ok";
    case Level::Note:
      return "note";
    case Level::Wrong:
      return "wrong";
  }
  return "wrong";
}

nlohmann::json to_json(const Finding& finding) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? nlohmann::json(nullptr) : nlohmann::json(text);
  };
  return {{"check", finding.check},
          {"level", word_of(finding.level)},
          {"what", finding.what},
          {"where", text_or_null(finding.where)},
          {"todo", text_or_null(finding.todo)},
          {"command", text_or_null(finding.command)},
          {"fixable", static_cast<bool>(finding.fix)}};
}

std::string list_words(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += i == 0 ? "" : i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

Probe probe(const Scene& scene, std::vector<std::string> front, std::string_view name,
            const decltype(process::Question::environment)& environment) {
  process::Question question{
      .argv = std::move(front), .directory = scene.project->root, .environment = environment};
  question.argv.emplace_back(kScript);
  question.argv.emplace_back(name);
  question.argv.insert(question.argv.end(), scene.tools.begin(), scene.tools.end());
  Probe out{.answer = process::ask(question)};
  const std::string last = fmt::format("{}{}:", kMark, scene.tools.size() - 1);
  out.is_complete = out.answer.out.find(last) != std::string::npos;
  out.detours = detours_in(scene, out.answer.out);
  return out;
}

std::string describe(const std::vector<Detour>& detours) {
  const Detour& first = detours.front();
  std::string text = first.tool + " is ";
  text += first.reached.empty()            ? "not found"
          : first.reached.starts_with('/') ? first.reached
                                           : "a function or an alias";
  const std::size_t more = detours.size() - 1;
  return more == 0 ? text
                   : fmt::format("{}, and {} no shim either", text,
                                 counted(more, "other reaches", "others reach"));
}

Finding silence(const std::string& who, const process::Answer& answer) {
  const bool late = answer.end == process::Answer::End::TimedOut;
  return {.what = who + (late ? " did not answer within 2 s" : " ended before it answered"),
          .todo = late ? "find out what its start-up files wait for"
                       : "run it by hand and read what it says"};
}

}  // namespace onelane::multicall::doctor
