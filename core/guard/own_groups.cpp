#include "core/guard/own_groups.hpp"

#include <array>

namespace onelane::guard {
namespace {

/// Removes the text up to and including `end` from the front of `rest` and returns it without
/// `end`.
std::string_view take(std::string_view& rest, char end) noexcept {
  const std::size_t at = rest.find(end);
  const std::string_view out = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return out;
}

/// True when the comma-separated `list` names `word`.
bool lists(std::string_view list, std::string_view word) noexcept {
  while (!list.empty()) {
    if (take(list, ',') == word) {
      return true;
    }
  }
  return false;
}

bool is_octal(std::string_view digits) noexcept {
  return digits.size() == 3 && digits.find_first_not_of("01234567") == std::string_view::npos;
}

/// mountinfo writes space, tab, newline and backslash as \040, \011, \012 and \134 (proc(5)).
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && is_octal(text.substr(i + 1, 3))) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                               (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// The parts of a mountinfo line that matter here.
struct Mount {
  std::string root;  ///< Which group of the hierarchy the mount point shows.
  std::string point;
  std::string_view type;
  std::string_view options;  ///< Of the file system; for v1 they include the controllers.
};

Mount parse_mount(std::string_view line) {
  Mount out;
  for (int skipped = 0; skipped < 3; ++skipped) {
    (void)take(line, ' ');
  }
  out.root = unescape(take(line, ' '));
  out.point = unescape(take(line, ' '));
  while (!line.empty() && take(line, ' ') != "-") {
    // mount options and any number of optional fields
  }
  out.type = take(line, ' ');
  (void)take(line, ' ');
  out.options = line;
  return out;
}

bool belongs_to(const Mount& mount, Hierarchy hierarchy) noexcept {
  if (hierarchy == Hierarchy::V2 || mount.type != "cgroup") {
    return hierarchy == Hierarchy::V2 && mount.type == "cgroup2";
  }
  const bool is_memory = hierarchy == Hierarchy::V1Memory;
  return lists(mount.options, is_memory ? "memory" : "cpu") &&
         !lists(mount.options, is_memory ? "cpu" : "memory") && !lists(mount.options, "cpuset");
}

/// The directory that shows the group `path` through `mount`; empty when the mount shows another
/// part of the hierarchy.
std::string directory_of(const Mount& mount, std::string_view path) {
  // A path that starts with "/.." is above the root of our cgroup namespace (cgroup_namespaces(7)).
  const bool is_all = mount.root == "/";
  if (!path.starts_with('/') || path.starts_with("/..") ||
      (!is_all && !path.starts_with(mount.root))) {
    return {};
  }
  std::string_view below = is_all ? path : path.substr(mount.root.size());
  if (below == "/") {
    below = {};
  }
  return below.empty() || below.starts_with('/') ? mount.point + std::string{below} : std::string{};
}

}  // namespace

std::string_view name_of(Hierarchy hierarchy) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"v2", "v1 memory", "v1 cpu"};
  return kNames[static_cast<std::size_t>(hierarchy)];
}

OwnGroups own_groups(std::string_view mountinfo, std::string_view self_cgroup) {
  OwnGroups out;
  out.v2.path = path_in(self_cgroup, Hierarchy::V2);
  out.v1_memory.path = path_in(self_cgroup, Hierarchy::V1Memory);
  out.v1_cpu.path = path_in(self_cgroup, Hierarchy::V1Cpu);
  while (!mountinfo.empty()) {
    const std::string_view line = take(mountinfo, '\n');
    if (line.find(" - cgroup") == std::string_view::npos) {
      continue;  // skips most lines on a machine with containers
    }
    const Mount mount = parse_mount(line);
    const auto look = [&mount](OwnGroup& group, Hierarchy hierarchy) {
      if (belongs_to(mount, hierarchy)) {
        // The last one wins: a later mount on the same point hides the earlier one.
        if (auto directory = directory_of(mount, group.path); !directory.empty()) {
          group.directory = std::move(directory);
        }
      }
    };
    look(out.v2, Hierarchy::V2);
    look(out.v1_memory, Hierarchy::V1Memory);
    look(out.v1_cpu, Hierarchy::V1Cpu);
  }
  return out;
}

std::string_view path_in(std::string_view cgroup_text, Hierarchy hierarchy) noexcept {
  while (!cgroup_text.empty()) {
    std::string_view line = take(cgroup_text, '\n');
    const std::string_view id = take(line, ':');
    const std::string_view controllers = take(line, ':');
    const bool is_it =
        hierarchy == Hierarchy::V2
            ? id == "0" && controllers.empty()
            : lists(controllers, hierarchy == Hierarchy::V1Memory ? "memory" : "cpu");
    if (is_it) {
      return line;
    }
  }
  return {};
}

}  // namespace onelane::guard
