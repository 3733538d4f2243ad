#include "multicall/job/atoms_settings.hpp"

#include <cctype>
#include <filesystem>
#include <set>
#include <sstream>

#include "core/sys/file_descriptor.hpp"
#include "core/sys/text.hpp"

namespace onelane::multicall {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestSettings = std::size_t{4} << 20U;

fs::path canonical_directory(const std::string& name) {
  std::error_code error;
  const fs::path path = fs::canonical(name, error);
  return fs::is_directory(path, error) ? path : path.parent_path();
}

/// The innermost directory that contains all operands.
fs::path common_directory(const std::vector<std::string>& operands) {
  fs::path common = canonical_directory(operands.front());
  for (const std::string& operand : operands) {
    fs::path shared;
    const fs::path other = canonical_directory(operand);
    auto mine = common.begin();
    for (auto theirs = other.begin();
         mine != common.end() && theirs != other.end() && *mine == *theirs; ++mine, ++theirs) {
      shared /= *mine;
    }
    common = shared;
  }
  return common;
}

std::string trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t\r");
  return from == std::string_view::npos
             ? std::string{}
             : std::string{text.substr(from, text.find_last_not_of(" \t\r") - from + 1)};
}

std::string with_spaces_for(std::string text, std::string_view separators) {
  for (char& c : text) {
    c = separators.find(c) == std::string_view::npos ? c : ' ';
  }
  return text;
}

void append_escaped(std::string& pattern, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      pattern += "\\n";  // black reads a pattern with a real line break as a verbose one
    } else if (byte < 128 && std::isalnum(byte) == 0 && c != '_' && c != '/') {
      pattern.append("\\").push_back(c);
    } else {
      pattern.push_back(c);
    }
  }
}

std::string path_below(const fs::path& path, const fs::path& top) {
  const fs::path relative = path.lexically_relative(top);
  return relative == "." ? std::string{} : "/" + relative.string();
}

}  // namespace

std::string atom_forbidden_key(const shims::AtomTool& tool, bool is_own_file,
                               const std::string& text) {
  bool is_in_section = is_own_file;
  std::istringstream lines{text};
  for (std::string raw; std::getline(lines, raw);) {
    const std::string line = trimmed(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') {
      continue;
    }
    if (line.front() == '[' && raw.front() == '[') {
      const std::string name = trimmed(with_spaces_for(line.substr(0, line.find(']')), "[]"));
      is_in_section = shims::atom_listed(tool.section, name);
      continue;
    }
    if (!is_in_section) {
      continue;
    }
    const std::string key =
        trimmed(with_spaces_for(line.substr(0, line.find_first_of("=:")), "\""));
    if (shims::atom_listed(tool.keys, key)) {
      return key;
    }
    const std::string values = with_spaces_for(line, "=\"'[],");
    for (const std::string_view word : shims::atom_words(values)) {
      if (shims::atom_listed(tool.words, word)) {
        return std::string{word};
      }
    }
  }
  return {};
}

std::string atom_settings_refusal(const shims::AtomTool& tool,
                                  const std::vector<std::string>& operands,
                                  const std::vector<std::string>& starts, bool is_pinned) {
  if (tool.markers.empty() && tool.settings.empty()) {
    return {};
  }
  const fs::path common = common_directory(operands);
  std::set<fs::path> seen;
  for (const std::string& start : starts) {
    for (fs::path at = canonical_directory(start); seen.insert(at).second; at = at.parent_path()) {
      std::error_code error;
      const bool is_inner = at != common && !path_below(at, common).starts_with("/..");
      for (const std::string_view marker : shims::atom_words(tool.markers)) {
        if (is_inner && !is_pinned && fs::exists(at / marker, error)) {
          return "`" + sys::printable((at / marker).string()) +
                 "` would count for a part, and does not for the whole";
        }
      }
      for (const std::string_view name : shims::atom_words(tool.settings)) {
        const auto text = sys::read_small_file((at / name).c_str(), kLongestSettings);
        const bool is_own_file = name == "ruff.toml" || name == ".ruff.toml";
        const std::string key = text ? atom_forbidden_key(tool, is_own_file, *text) : std::string{};
        if (!key.empty()) {
          return "`" + sys::printable(key) + "` in `" + sys::printable((at / name).string()) +
                 "` says how files are taken";
        }
      }
    }
  }
  return {};
}

std::string atom_include_pattern(const std::string& directory,
                                 const std::vector<std::string>& names) {
  std::error_code error;
  const fs::path top = fs::canonical(directory, error);
  const fs::path as_named = fs::path{directory}.lexically_normal();
  std::string pattern = "^(?:";
  // The root is one of these; which one depends on the version of black.
  for (fs::path at = top;; at = at.parent_path()) {
    const bool is_last = !at.has_relative_path();
    if (is_last || fs::exists(at / ".git", error) || fs::exists(at / ".hg", error) ||
        fs::exists(at / "pyproject.toml", error)) {
      append_escaped(pattern, path_below(top, at));
      pattern += is_last ? ")/(?:" : "|";
    }
    if (is_last) {
      break;
    }
  }
  for (const std::string& name : names) {
    const fs::path relative = fs::path{name}.lexically_normal().lexically_relative(as_named);
    append_escaped(
        pattern, directory == "." ? fs::path{name}.lexically_normal().string() : relative.string());
    pattern += "|";
  }
  pattern.back() = ')';
  return pattern + "\\Z";
}

}  // namespace onelane::multicall
