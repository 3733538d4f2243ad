#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "core/tool/find.hpp"
#include "multicall/doctor/checks.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall::doctor {
namespace {

namespace fs = std::filesystem;

/// Replaces a link that leads elsewhere in one step, so that a tool called at that moment still
/// finds a shim. Anything but a link stays.
std::string make_link(const std::string& path) {
  std::error_code error;
  fs::create_directories(fs::path{path}.parent_path());
  const bool replaces = fs::is_symlink(path, error);
  const std::string fresh = replaces ? path + ".onelane-new" : path;
  if (replaces) {
    fs::remove(fresh, error);
  }
  fs::create_symlink(own_path(), fresh, error);
  if (!error && replaces) {
    fs::rename(fresh, path, error);
  }
  if (error) {
    throw sys::SystemError{error.value(), "link", path};
  }
  return "link " + path;
}

/// True for the same executable: the file itself or a copy of it.
bool is_this_build(const std::string& path) {
  struct stat ours {};
  struct stat theirs {};
  const std::string self = own_path();
  if (::stat(self.c_str(), &ours) != 0 || ::stat(path.c_str(), &theirs) != 0) {
    return false;
  }
  if (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino) {
    return true;
  }
  if (ours.st_size != theirs.st_size) {
    return false;
  }
  constexpr std::size_t kMost = std::size_t{256} << 20U;
  const auto left = sys::read_small_file(self.c_str(), kMost);
  const auto right = sys::read_small_file(fs::canonical(path).c_str(), kMost);
  return left && right && *left == *right;
}

void look_at_link(const Scene& scene, const std::string& name, Findings& out) {
  const std::string path = scene.bin + "/" + name;
  const bool ours = scene.manifest && scene.manifest->has("link", name);
  std::function<std::string()> mend;
  if (ours) {
    mend = [path] { return make_link(path); };
  }
  std::error_code error;
  const auto kind = fs::symlink_status(path, error).type();
  const std::string command = ours ? "onelane doctor --fix" : "onelane init --tool " + name;
  if (kind == fs::file_type::not_found) {
    out.wrong({.what = "the link of " + name + " is gone",
               .where = path,
               .todo = "make it again",
               .command = command,
               .fix = mend});
  } else if (kind == fs::file_type::symlink && !fs::exists(path, error)) {
    out.wrong({.what = "the link of " + name + " leads to " +
                       fs::read_symlink(path, error).string() + ", which is not there",
               .where = path,
               .todo = "make it again",
               .command = command,
               .fix = mend});
  } else if (!tool::is_onelane(path.c_str())) {
    out.wrong({.what = "in the place of " + name + "'s shim is something that is not onelane",
               .where = path,
               .todo = "see what it is, move it away, then make the link",
               .command = "onelane init"});
  } else if (!is_this_build(path)) {
    // Only a link is fixed: a copy in its place was put there on purpose.
    out.wrong({.what = "the shim of " + name + " is another build than this onelane",
               .where = path,
               .todo = "link this build, or call that one",
               .command = command,
               .fix = kind == fs::file_type::symlink ? mend : nullptr});
  }
}

}  // namespace

void look_at_links(const Scene& scene, Findings& out) {
  for (const std::string& name : scene.tools) {
    look_at_link(scene, name, out);
  }
  for (const shims::Shim& shim : shims::all_shims()) {
    const std::string name{shim.name};
    const auto candidates = tool::all_candidates(name, scene.path.c_str());
    const bool is_here = std::ranges::any_of(
        candidates, [](const auto& c) { return c.verdict == tool::Verdict::Real; });
    if (is_here && !std::ranges::binary_search(scene.tools, name)) {
      out.note({.what = name + " is installed, and no shim stands before it",
                .todo = "make its link",
                .command = "onelane init"});
    }
  }
  if (out.empty()) {
    out.ok(std::to_string(scene.tools.size()) + " links lead to this onelane");
  }
}

}  // namespace onelane::multicall::doctor
