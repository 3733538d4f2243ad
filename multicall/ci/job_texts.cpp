#include "multicall/ci/job_texts.hpp"

#include <algorithm>
#include <optional>

namespace onelane::multicall::ci {
namespace {

/// A line `key: value` of a CI file, or `- key: value`.
struct KeyLine {
  std::size_t indent = 0;  ///< Of the key, behind any dashes.
  std::size_t margin = 0;  ///< Of the line.
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
  const std::size_t margin = indent;
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
    return KeyLine{indent, margin, {}, unquoted(rest), number};
  }
  std::string_view value = rest.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return KeyLine{indent, margin, unquoted(rest.substr(0, colon)), unquoted(value), number};
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

void note_phase(const KeyLine& line, JobText& job) {
  int* const at = line.key == "before_script"  ? &job.before
                  : line.key == "script"       ? &job.script
                  : line.key == "after_script" ? &job.after
                                               : nullptr;
  if (at != nullptr && *at == 0) {
    *at = line.number;
  }
}

/// The items of one `steps:`, while its lines come.
class StepList {
 public:
  explicit StepList(const KeyLine& head) : head_{head.indent} {}

  /// False for a line behind the list.
  bool take(const KeyLine& line, std::vector<StepText>& steps) {
    const bool begins = line.indent > line.margin;
    if (line.margin < head_ || (line.margin == head_ && !begins)) {
      return false;
    }
    margin_ = margin_ == 0 && begins ? line.margin : margin_;
    if (begins && line.margin == margin_) {
      steps.push_back({.first = line.number});
      keys_ = line.indent;
      in_condition_ = false;
    } else if (keys_ == 0) {
      return true;
    }
    StepText& step = steps.back();
    step.last = line.number;
    if (line.indent > keys_) {
      step.condition += in_condition_ ? " " + whole(line) : "";
      return true;
    }
    in_condition_ = line.key == "if" && line.value.find_first_of(">|") == 0;
    if (line.key == "if" && !in_condition_) {
      step.condition = line.value;
    } else if (line.key == "uses" && line.value.starts_with("./")) {
      step.action = line.value.substr(2);
    }
    return true;
  }

 private:
  static std::string whole(const KeyLine& line) {
    return line.key.empty() ? line.value : line.key + ": " + line.value;
  }

  std::size_t head_;        ///< Indent of `steps:`.
  std::size_t margin_ = 0;  ///< Of the dashes; 0 before the first.
  std::size_t keys_ = 0;    ///< Indent of a step's keys.
  bool in_condition_ = false;
};

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
    note_phase(line, jobs.back());
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

std::vector<StepText> steps_of(std::string_view content) {
  std::vector<StepText> steps;
  std::optional<StepList> list;
  for (const KeyLine& line : key_lines(content)) {
    if (list && list->take(line, steps)) {
      continue;
    }
    list.reset();
    if (line.key == "steps" && line.value.empty()) {
      list.emplace(line);
    }
  }
  return steps;
}

const StepText* step_at(const std::vector<StepText>& steps, int line) {
  const auto found = std::ranges::find_if(
      steps, [line](const StepText& step) { return step.first <= line && line <= step.last; });
  return found == steps.end() ? nullptr : &*found;
}

int phase_at(const JobText& job, int line) {
  const auto begins = [line](int key) { return key != 0 && key <= line ? key : 0; };
  const int nearest = std::max({begins(job.before), begins(job.script), begins(job.after)});
  return nearest == 0 || nearest == job.script ? 1 : nearest == job.before ? 0 : 2;
}

}  // namespace onelane::multicall::ci
