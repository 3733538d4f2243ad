#include "core/settings/dotenv.hpp"

#include <algorithm>
#include <optional>

#include "core/sys/values.hpp"

namespace onelane::settings {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_key_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

bool is_end_or_comment(std::string_view rest) {
  rest = sys::trim(rest);
  return rest.empty() || rest.front() == '#';
}

void read_bare(std::string_view text, DotenvEntry& entry) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '#' && (i == 0 || is_blank(text[i - 1]))) {
      text = text.substr(0, i);
      break;
    }
  }
  entry.value = sys::trim(text);
}

void read_single_quoted(std::string_view text, DotenvEntry& entry) {
  const auto end = text.find('\'', 1);
  entry.well_formed = end != std::string_view::npos && is_end_or_comment(text.substr(end + 1));
  entry.value = entry.well_formed ? text.substr(1, end - 1) : text;
}

char unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

void read_double_quoted(std::string_view text, DotenvEntry& entry) {
  constexpr std::string_view kEscapes = "nrt\\\"$`";
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      entry.well_formed = is_end_or_comment(text.substr(i + 1));
      return;
    }
    if (text[i] == '\\' && i + 1 < text.size() &&
        kEscapes.find(text[i + 1]) != std::string_view::npos) {
      ++i;
      entry.value += unescaped(text[i]);
      continue;
    }
    entry.value += text[i];
  }
  entry.well_formed = false;
}

std::optional<DotenvEntry> read_line(std::string_view line) {
  constexpr std::string_view kExport = "export";
  if (line.starts_with(kExport) && line.size() > kExport.size() && is_blank(line[kExport.size()])) {
    line = sys::trim(line.substr(kExport.size()));
  }
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) {
    return std::nullopt;
  }
  const auto key = sys::trim(line.substr(0, equals));
  if (key.empty() || !std::ranges::all_of(key, is_key_char)) {
    return std::nullopt;
  }
  DotenvEntry entry{.key = std::string{key}, .value = {}};
  const auto rest = sys::trim(line.substr(equals + 1));
  if (rest.starts_with('\'')) {
    read_single_quoted(rest, entry);
  } else if (rest.starts_with('"')) {
    read_double_quoted(rest, entry);
  } else {
    read_bare(rest, entry);
  }
  return entry;
}

}  // namespace

std::vector<DotenvEntry> parse_dotenv(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  std::vector<DotenvEntry> entries;
  bool in_block = false;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const auto line = sys::trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line == "# onelane") {
      in_block = true;
    } else if (line.empty() || line == "# /onelane") {
      in_block = false;
    } else if (line.front() != '#') {
      if (auto entry = read_line(line)) {
        entry->line = number;
        entry->in_block = in_block;
        entries.push_back(std::move(*entry));
      }
    }
  }
  return entries;
}

}  // namespace onelane::settings
