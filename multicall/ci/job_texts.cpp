#include "multicall/ci/job_texts.hpp"

#include <algorithm>
#include <optional>

namespace onelane::multicall::ci {
namespace {

/// A line `key: value` of a CI file, or `- key: value`.
struct KeyLine {
  std::size_t indent = 0;  ///< Of the key, behind any dashes.
  std::string key;
  std::string value;
  int number = 0;
};

std::string unquoted(std::string_view text) {
  text = text.substr(0, text.find(" #"));
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  if (text.size() > 1 && (text.front() == '"' || text.front() == '\'') &&
      text.back() == text.front()) {
    text = text.substr(1, text.size() - 2);
  }
  return std::string{text};
}

std::optional<KeyLine> key_line(std::string_view text, int number) {
  std::size_t indent = text.find_first_not_of(' ');
  while (indent != std::string_view::npos && text.substr(indent).starts_with("- ")) {
    indent = text.find_first_not_of(' ', indent + 1);
  }
  if (indent == std::string_view::npos || text[indent] == '#') {
    return std::nullopt;
  }
  const std::string_view rest = text.substr(indent);
  const std::size_t colon = rest.find(':');
  const bool is_key =
      colon != std::string_view::npos &&
      (colon + 1 == rest.size() || rest[colon + 1] == ' ' || rest[colon + 1] == '\r');
  if (!is_key) {
    return KeyLine{indent, {}, unquoted(rest), number};
  }
  std::string_view value = rest.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return KeyLine{indent, unquoted(rest.substr(0, colon)), unquoted(value), number};
}

std::vector<KeyLine> key_lines(std::string_view content) {
  std::vector<KeyLine> lines;
  int number = 0;
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t end = std::min(content.find('\n', at), content.size());
    if (auto line = key_line(content.substr(at, end - at), ++number)) {
      lines.push_back(std::move(*line));
    }
    at = end + 1;
  }
  return lines;
}

/// The names in `a`, `[a, b]`.
void add_names(std::string_view text, std::vector<std::string>& out) {
  for (std::size_t at = 0; at < text.size();) {
    at = std::min(text.find_first_not_of("[], '\"", at), text.size());
    const std::size_t end = std::min(text.find_first_of("[], '\"", at), text.size());
    if (end > at) {
      out.emplace_back(text.substr(at, end - at));
    }
    at = end;
  }
}

}  // namespace

std::vector<JobText> jobs_of_workflow(std::string_view content) {
  std::vector<JobText> jobs;
  bool is_inside = false;
  std::size_t depth = 0;  // of the jobs' names; 0 before the first of them
  for (const KeyLine& line : key_lines(content)) {
    if (line.indent == 0) {
      is_inside = line.key == "jobs" && line.value.empty();
      depth = 0;
      continue;
    }
    if (!is_inside) {
      continue;
    }
    depth = depth == 0 ? line.indent : depth;
    if (line.indent == depth && !line.key.empty()) {
      jobs.push_back({.name = line.key, .first = line.number});
    }
    if (jobs.empty()) {
      continue;
    }
    jobs.back().last = line.number;
    if (line.key == "uses" && line.value.starts_with("./")) {
      jobs.back().actions.push_back(line.value.substr(2));
    }
  }
  return jobs;
}

std::vector<JobText> jobs_of_gitlab(std::string_view content) {
  std::vector<JobText> jobs;
  std::size_t extends = 0;  // indent of that key while its list goes on
  for (const KeyLine& line : key_lines(content)) {
    if (line.indent == 0 && !line.key.empty()) {
      jobs.push_back({.name = line.key, .first = line.number});
      extends = 0;
    }
    if (jobs.empty()) {
      continue;
    }
    jobs.back().last = line.number;
    if (line.key == "extends") {
      extends = line.indent;
      add_names(line.value, jobs.back().templates);
    } else if (extends != 0 && line.key.empty()) {
      add_names(line.value, jobs.back().templates);
    } else {
      extends = 0;
    }
  }
  return jobs;
}

}  // namespace onelane::multicall::ci
