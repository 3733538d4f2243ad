#include "multicall/doctor/audit.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "core/sys/file_descriptor.hpp"
#include "core/sys/text.hpp"
#include "multicall/audit/prefixes.hpp"
#include "multicall/audit/shell_words.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/doctor/scene.hpp"
#include "multicall/term/github_log.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/words.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall::audit {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kLongestFile = std::size_t{1} << 20U;
constexpr std::size_t kLongestShown = 120;
constexpr int kDeepestFolder = 4;
constexpr int kDeepestScript = 4;

bool is_foreign_folder(std::string_view name) {
  const bool hidden = name.starts_with('.') && !is_in(name, ".github .husky .gitlab");
  return hidden || is_in(name, "node_modules vendor third_party venv env build dist target _");
}

std::string call_of(std::span<const std::string> words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

/// Checks a script, and the scripts that it hands to `sh -c`.
void look_at(const std::string& file, const std::vector<Words>& commands, const Tools& tools,
             Setting setting, int depth, std::vector<Hit>& hits) {
  for (const Words& command : commands) {
    if (auto detour = find_detour(command.words, tools, setting)) {
      hits.push_back({file, command.line, call_of(command.words), std::move(*detour)});
    } else if (const auto inner = inner_script(command.words); inner && depth < kDeepestScript) {
      look_at(file, commands_in(*inner, command.line), tools, setting, depth + 1, hits);
    }
  }
}

/// Walks a project.
class Walk {
 public:
  explicit Walk(const std::string& root) : root_{root} {}

  /// Adds the files in `folder` and, from `depth` on, below it.
  void collect(const std::string& folder, int depth) {
    std::vector<std::string> folders;
    for (const std::string& name : names_in(folder)) {
      std::error_code ignored;
      const auto type = fs::symlink_status(root_ + "/" + folder + name, ignored).type();
      if (type == fs::file_type::directory && depth < kDeepestFolder && !is_foreign_folder(name)) {
        folders.push_back(folder + name + "/");
      } else if (kind_of(folder + name) != Kind::None && type != fs::file_type::directory) {
        (type == fs::file_type::symlink ? links_ : found_.paths).push_back(folder + name);
      }
    }
    for (const std::string& next : folders) {
      collect(next, depth + 1);
    }
  }

  [[nodiscard]] ScriptFiles take() {
    std::ranges::sort(found_.paths);
    for (const std::string& link : links_) {
      if (!is_found(link)) {
        found_.unread.push_back({link, "a symbolic link, and none is followed"});
      }
    }
    return std::move(found_);
  }

 private:
  /// The first names of a directory, as many as are still allowed.
  std::set<std::string> names_in(const std::string& folder) {
    std::set<std::string> names;
    std::error_code error;
    // All names are read even if there are too many, so that the same ones are kept every time.
    for (fs::directory_iterator at{root_ + "/" + folder, error}, end;
         !error && at != end && (left_ > 0 || !found_.is_cut); at.increment(error)) {
      names.insert(at->path().filename().string());
      if (names.size() > left_) {
        names.erase(std::prev(names.end()));
        found_.is_cut = true;
      }
    }
    if (error) {
      found_.unread.push_back({folder.empty() ? "." : folder, error.message()});
    }
    left_ -= names.size();
    return names;
  }

  /// True for a link to one of the files found.
  [[nodiscard]] bool is_found(const std::string& link) const {
    std::error_code error;
    const fs::path target = fs::canonical(root_ + "/" + link, error);
    const fs::path root = error ? fs::path{} : fs::canonical(root_, error);
    return !error &&
           std::ranges::binary_search(found_.paths, target.lexically_relative(root).string());
  }

  std::string root_;
  std::size_t left_ = kMostEntries;
  ScriptFiles found_;
  std::vector<std::string> links_;  ///< Links that stand where a script could be.
};

Tools tools_of(const doctor::Scene& scene) {
  Tools tools;
  tools.linked = {scene.tools.begin(), scene.tools.end()};
  tools.adopted = tools.linked;
  for (const shims::Shim& shim : shims::all_shims()) {
    tools.adopted.emplace(shim.name);
  }
  for (const auto& [name, unused] : scene.loaded.settings.tools) {
    tools.adopted.insert(name);
  }
  return tools;
}

/// What was read and found.
struct Report {
  ScriptFiles files;
  std::vector<Hit> hits;
};

std::string text_of(const Paint& paint, const Report& report) {
  std::string text;
  for (const Hit& hit : report.hits) {
    text +=
        fmt::format("{}: {}\n    {} -> {}\n",
                    paint.bold(fmt::format("{}:{}", sys::printable(hit.file, 300), hit.line)),
                    sys::printable(hit.call, kLongestShown), sys::printable(hit.detour.why, 300),
                    sys::printable(hit.detour.change, 300));
  }
  const std::size_t hits = report.hits.size();
  const std::size_t files = report.files.paths.size();
  text +=
      fmt::format("{} the lane in {}\n",
                  hits == 0 ? "no call bypasses" : counted(hits, "call bypasses", "calls bypass"),
                  counted(files, "file", "files"));
  for (const Unread& unread : report.files.unread) {
    text += paint.red(fmt::format("could not read {}: {}", sys::printable(unread.path, 300),
                                  sys::printable(unread.why, 300))) +
            "\n";
  }
  if (report.files.is_cut) {
    text +=
        paint.red(fmt::format("stopped after {} files and folders: there are more, and they were "
                              "not looked at",
                              kMostEntries)) +
        "\n";
  }
  return text;
}

/// Why read_small_file() failed, from errno.
std::string why_unread() {
  switch (errno) {
    case EINVAL:
      return "not a regular file";
    case EFBIG:
      return fmt::format("larger than {} MiB", kLongestFile >> 20U);
    default:
      return std::generic_category().message(errno);
  }
}

/// Reads the files, and moves those that cannot be read to the unread ones.
Report read_files(ScriptFiles files, const std::string& root, const Tools& tools) {
  Report report{std::move(files), {}};
  for (const std::string& file : std::exchange(report.files.paths, {})) {
    const auto content = sys::read_small_file((root + "/" + file).c_str(), kLongestFile);
    if (!content) {
      report.files.unread.push_back({file, why_unread()});
    } else if (content->find('\0') != std::string::npos) {
      report.files.unread.push_back({file, "has a NUL byte, so it is not text"});
    } else {
      const Scripts scripts = scripts_in(kind_of(file), *content);
      std::ranges::move(hits_in(file, scripts, tools), std::back_inserter(report.hits));
      if (scripts.fault.empty()) {
        report.files.paths.push_back(file);
      } else {
        report.files.unread.push_back({file, scripts.fault});
      }
    }
  }
  std::ranges::sort(report.files.unread, {}, &Unread::path);
  return report;
}

std::string json_of(const Report& report) {
  json rows = json::array();
  for (const Hit& hit : report.hits) {
    rows.push_back({{"file", hit.file},
                    {"line", hit.line},
                    {"call", hit.call},
                    {"tool", hit.detour.tool},
                    {"why", hit.detour.why},
                    {"change", hit.detour.change}});
  }
  json unread = json::array();
  for (const Unread& file : report.files.unread) {
    unread.push_back({{"file", file.path}, {"why", file.why}});
  }
  const json out{{"schema", 1},
                 {"complete", report.files.is_complete()},
                 {"unread", unread},
                 {"files", report.files.paths},
                 {"calls", rows}};
  return json_line(out) + "\n";
}

}  // namespace

std::vector<Hit> hits_in(const std::string& file, const Scripts& scripts, const Tools& tools) {
  std::vector<Hit> hits;
  for (const Script& script : scripts.all) {
    const auto commands = script.words.empty() ? commands_in(script.text, script.line)
                                               : std::vector<Words>{{script.line, script.words}};
    look_at(file, commands, tools, script.setting, 0, hits);
  }
  return hits;
}

ScriptFiles script_files(const std::string& root) {
  Walk walk{root};
  walk.collect("", 0);
  return walk.take();
}

int audit_project(bool as_json, Paint::When color) {
  const doctor::Scene scene = doctor::scene_here();
  if (!scene.is_adopted()) {
    say_not_adopted();
    return 1;
  }
  const std::string& root = scene.project->root;
  const Report report = read_files(script_files(root), root, tools_of(scene));
  if (as_json) {
    print(json_of(report));
  } else {
    print_fenced(text_of(Paint{1, color}, report));
  }
  return report.hits.empty() && report.files.is_complete() ? 0 : 1;
}

}  // namespace onelane::multicall::audit
