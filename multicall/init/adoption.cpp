#include "multicall/init/adoption.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "core/settings/trust.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "core/sys/text.hpp"
#include "core/sys/values.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall {
namespace {

bool is_reserved(std::string_view name) {
  return name == "onelane" || name == "seq" || name == "safe-run";
}

/// True for a word that needs no quoting as a file name, a section of onelane.toml or a shell word.
bool is_name(std::string_view name) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
  return !name.empty() && name.find_first_not_of(kLetters) == std::string_view::npos &&
         !name.starts_with('-') && !name.starts_with('.');
}

}  // namespace

Manifest::Manifest(const std::string& state_dir) : path_{state_dir + "/manifest"} {
  const std::string text = read_text(path_);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) {
      lines_.insert(text.substr(at, end - at));
    }
    at = end + 1;
  }
}

bool Manifest::has(std::string_view kind, std::string_view name) const {
  return lines_.contains(std::string{kind} + " " + std::string{name});
}

void Manifest::add(std::string_view kind, std::string_view name) {
  lines_.insert(std::string{kind} + " " + std::string{name});
}

std::set<std::string> Manifest::names(std::string_view kind) const {
  std::set<std::string> out;
  for (const std::string& line : lines_) {
    if (line.starts_with(std::string{kind} + " ")) {
      out.insert(line.substr(kind.size() + 1));
    }
  }
  return out;
}

void Manifest::save() const {
  std::string text;
  for (const std::string& line : lines_) {
    text += line + "\n";
  }
  write_text(path_, text);
}

std::string read_text(const std::string& path) {
  if (auto text = sys::read_small_file(path.c_str(), std::size_t{4} << 20U)) {
    return *text;
  }
  if (errno == ENOENT || errno == ENOTDIR) {
    return {};
  }
  sys::throw_errno("read", path);
}

bool write_text(const std::string& path, std::string_view text) {
  struct stat info {};
  const bool exists = ::lstat(path.c_str(), &info) == 0;
  if (exists && read_text(path) == text) {
    return false;
  }
  const std::string fresh = path + ".onelane-new";
  // Always a new file: an existing one may be left over, or be a hard link that was planted.
  (void)::unlink(fresh.c_str());
  {
    sys::FileDescriptor file = sys::open_file(fresh, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (exists) {
      (void)::fchmod(file.get(), info.st_mode & 07777U);
      (void)!::fchown(file.get(), info.st_uid, info.st_gid);
    }
    if (!sys::write_all(file.get(), text)) {
      const int error = errno;
      ::unlink(fresh.c_str());
      throw sys::SystemError{error, "write", path};
    }
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(fresh.c_str());
    throw sys::SystemError{error, "write", path};
  }
  return true;
}

std::string own_trust_directory() {
  const char* home = std::getenv("HOME");
  return settings::trust_directory(
      home == nullptr ? "" : home,
      [](const char* name) -> const char* { return std::getenv(name); });
}

std::string own_path() {
  return std::filesystem::read_symlink("/proc/self/exe").string();
}

bool is_tool_name(std::string_view name) {
  return is_name(name) && !is_reserved(name);
}

bool are_names(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!is_name(name)) {
      say_always("onelane init: '" + sys::clean(name) + "' is not a valid tool name");
      return false;
    }
    if (is_reserved(name)) {
      say_always("onelane init: " + name + " is onelane itself" +
                 (name == "onelane" ? "" : ": onelane init --link " + name));
      return false;
    }
  }
  return true;
}

}  // namespace onelane::multicall
