#include "core/settings/edit.hpp"

#include <algorithm>
#include <vector>

#include "core/settings/schema.hpp"
#include "core/settings/toml_reader.hpp"
#include "core/sys/values.hpp"

namespace onelane::settings {
namespace {

constexpr std::string_view kOpen = "# onelane";
constexpr std::string_view kClose = "# /onelane";
/// Tells our block from one that the user wrote.
constexpr std::string_view kNote = "# written by `onelane init`, removed by `onelane uninit`";
/// Ends the first line that we write when the line before it had no newline.
constexpr std::string_view kGlued = "  # the line before had no newline";
constexpr std::string_view kToolMark = "  # onelane init";

/// A part of a text.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;  ///< One past the newline of its last line.
  bool glued = false;
};

struct Line {
  std::string_view text;  ///< Trimmed.
  std::size_t begin = 0;
  std::size_t end = 0;  ///< One past its newline.
};

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto newline = text.find('\n', at);
    const auto end = newline == std::string_view::npos ? text.size() : newline + 1;
    lines.push_back({sys::trim(text.substr(at, std::min(newline, text.size()) - at)), at, end});
    at = end;
  }
  return lines;
}

bool lacks_newline(std::string_view text) {
  return !text.empty() && text.back() != '\n';
}

/// True when `line` is `wanted`, with or without the mark for a missing newline.
bool is_line(const Line& line, std::string_view wanted) {
  return line.text == wanted ||
         (line.text.starts_with(wanted) && line.text.substr(wanted.size()) == kGlued);
}

std::string without(std::string_view text, Span span) {
  std::string_view before = text.substr(0, span.begin);
  const std::string_view after = text.substr(span.end);
  // Only at the end: lines that the user has added below need the newline now.
  if (span.glued && after.empty() && before.ends_with('\n')) {
    before.remove_suffix(1);
  }
  return std::string{before} + std::string{after};
}

std::optional<Span> find_block(std::string_view text) {
  const auto lines = lines_of(text);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    if (lines[i].text != kOpen || !is_line(lines[i + 1], kNote)) {
      continue;
    }
    for (std::size_t j = i + 2; j < lines.size(); ++j) {
      if (lines[j].text == kClose) {
        return Span{lines[i].begin, lines[j].end, lines[i + 1].text.ends_with(kGlued)};
      }
      if (lines[j].text.empty() || lines[j].text == kOpen) {
        break;
      }
    }
  }
  return std::nullopt;
}

/// The last occurrence of the line that is not indented.
std::optional<Span> find_line(std::string_view text, std::string_view wanted) {
  std::optional<Span> found;
  for (const Line& line : lines_of(text)) {
    if (is_line(line, wanted) && line.text.data() == text.data() + line.begin) {
      found = Span{line.begin, line.end, line.text.ends_with(kGlued)};
    }
  }
  return found;
}

std::string tool_header(std::string_view name) {
  const bool quoted = name.find_first_of(".+") != std::string_view::npos;
  const std::string key = quoted ? '"' + std::string{name} + '"' : std::string{name};
  return "[tools." + key + "]" + std::string{kToolMark};
}

/// True for the one line that init writes in a section.
bool is_own_line(std::string_view line) {
  return line.starts_with("class = ") || line.starts_with("pass = ");
}

std::optional<Span> find_tool(std::string_view text, std::string_view name) {
  const auto lines = lines_of(text);
  const auto header = tool_header(name);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    if (!is_line(lines[i], header) || !is_own_line(lines[i + 1].text)) {
      continue;
    }
    // The section is only ours when it ends here: at the end, or before the next section.
    std::size_t next = i + 2;
    while (next < lines.size() && lines[next].text.empty()) {
      ++next;
    }
    if (next < lines.size() && !lines[next].text.starts_with('[')) {
      return std::nullopt;
    }
    const bool blank_before = i > 0 && lines[i - 1].begin + 1 == lines[i - 1].end;
    return Span{lines[blank_before ? i - 1 : i].begin, lines[i + 1].end,
                lines[i].text.ends_with(kGlued)};
  }
  return std::nullopt;
}

/// The figures of `onelane run`, in the form in which a project sets them for its shims too.
std::vector<std::string> seed_lines() {
  const Settings run = built_in(Audience::Run, 0);
  return {"ONELANE_MEMORY_LIMIT_MB=" + std::to_string(run.memory_limit_mb.value),
          "ONELANE_TIMEOUT=" + std::to_string(run.timeout.value.count() / 1000)};
}

bool has_tool(const TomlDocument& document, std::string_view name) {
  return std::ranges::find(document.tools, name, &TomlTool::name) != document.tools.end();
}

bool passes(const TomlDocument& document, std::string_view name, std::string_view word) {
  return std::ranges::any_of(document.tools, [&](const TomlTool& tool) {
    return tool.name == name && std::ranges::any_of(tool.values, [&](const TomlValue& value) {
             return value.key == "pass" &&
                    std::ranges::find(value.items, word) != value.items.end();
           });
  });
}

/// `text` with a section of that one line at its end; nullopt for a text that is not TOML.
std::optional<std::string> with_section(std::string_view text, std::string_view name,
                                        std::string_view line) {
  std::string out{text};
  const bool glued = lacks_newline(text);
  out.append(glued ? "\n" : "").append(text.empty() ? "" : "\n").append(tool_header(name));
  out.append(glued ? kGlued : "").append("\n").append(line).append("\n");
  const auto after = read_toml(out);
  return after.error.empty() && has_tool(after, name) ? std::optional{out} : std::nullopt;
}

}  // namespace

std::string add_block(std::string_view text, std::string_view body) {
  std::string out{text};
  if (find_block(text)) {
    return out;
  }
  const bool glued = lacks_newline(text);
  out.append(glued ? "\n" : "").append(kOpen).append("\n").append(kNote);
  out.append(glued ? kGlued : "").append("\n").append(body);
  if (lacks_newline(body)) {
    out += '\n';
  }
  return out.append(kClose).append("\n");
}

std::string remove_block(std::string_view text) {
  const auto block = find_block(text);
  return block ? without(text, *block) : std::string{text};
}

std::string activate_seeds(std::string_view text) {
  std::string out{text};
  for (const std::string& line : seed_lines()) {
    const auto block = find_block(out);
    if (!block) {
      return out;
    }
    // The last occurrence: the built-in figure above may be the same.
    const std::string inactive = "\n# " + line + "\n";
    const auto at = out.substr(0, block->end).rfind(inactive);
    if (at != std::string::npos && at > block->begin) {
      out.erase(at + 1, 2);
    }
  }
  return out;
}

std::string env_block(bool seeds_active, std::uint64_t ram_mb) {
  const Settings shim = built_in(Audience::Shim, ram_mb);
  std::string body = "# Limits of one run. A line counts once its '# ' is gone.\n";
  body += "# Built in: 25 % of the memory, at least 2048 MB, for one process; 80 % for all.\n";
  body += "# ONELANE_MEMORY_LIMIT_MB=" + std::to_string(shim.memory_limit_mb.value) + "\n";
  body +=
      "# ONELANE_TREE_MEMORY_LIMIT_MB=" + std::to_string(shim.tree_memory_limit_mb.value) + "\n";
  body += "# ONELANE_MAX_PROCESSES=" + std::to_string(shim.max_processes.value) + "\n";
  body += "# Built in: no time limit (0).\n";
  body += "# ONELANE_TIMEOUT=0\n";
  body += "# Tighter figures, those of `onelane run` (`onelane init --limits=seeds`):\n";
  for (const std::string& line : seed_lines()) {
    body.append(seeds_active ? "" : "# ").append(line).append("\n");
  }
  return body;
}

std::string add_line(std::string_view text, std::string_view line) {
  std::string out{text};
  if (std::ranges::any_of(lines_of(text), [&](const Line& l) { return is_line(l, line); })) {
    return out;
  }
  const bool glued = lacks_newline(text);
  out.append(glued ? "\n" : "").append(line).append(glued ? kGlued : "");
  return out.append("\n");
}

std::string remove_line(std::string_view text, std::string_view line) {
  const auto found = find_line(text, line);
  return found ? without(text, *found) : std::string{text};
}

std::optional<std::string> add_tool(std::string_view text, std::string_view name,
                                    std::string_view tool_class) {
  const auto before = read_toml(text);
  if (!before.error.empty()) {
    return std::nullopt;
  }
  if (has_tool(before, name)) {
    return std::string{text};
  }
  return with_section(text, name, "class = \"" + std::string{tool_class} + "\"");
}

std::optional<std::string> add_pass(std::string_view text, std::string_view name,
                                    std::string_view word) {
  const auto before = read_toml(text);
  if (!before.error.empty()) {
    return std::nullopt;
  }
  if (has_tool(before, name)) {
    return passes(before, name, word) ? std::optional{std::string{text}} : std::nullopt;
  }
  return with_section(text, name, "pass = [\"" + std::string{word} + "\"]");
}

std::string remove_tool(std::string_view text, std::string_view name) {
  return remove_tools(text, {std::string{name}});
}

// In reverse order: a newline added before the first section can be removed only when it is at the
// end.
std::string remove_tools(std::string_view text, const std::set<std::string>& names) {
  std::string out{text};
  for (;;) {
    std::optional<Span> last;
    for (const std::string& name : names) {
      const auto found = find_tool(out, name);
      last = found && (!last || found->begin > last->begin) ? found : last;
    }
    if (!last) {
      return out;
    }
    out = without(out, *last);
  }
}

}  // namespace onelane::settings
