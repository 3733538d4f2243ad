#include <algorithm>
#include <array>

#include "multicall/audit/prefixes.hpp"
#include "multicall/audit/sources.hpp"

namespace onelane::multicall::audit {
namespace {

/// Keys whose value is a command, or a list of them, in the files that are looked at.
constexpr std::string_view kKeys =
    "after_script before_script before_install cmd cmds command commands entry install run script";

struct YamlLine {
  std::string_view text;  ///< Without its newline.
  std::size_t indent = 0;
  int number = 0;
};

std::vector<YamlLine> lines_of(std::string_view content) {
  std::vector<YamlLine> lines;
  int number = 0;
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t end = std::min(content.find('\n', at), content.size());
    std::string_view text = content.substr(at, end - at);
    text = text.substr(0, text.ends_with('\r') ? text.size() - 1 : text.size());
    lines.push_back({text, std::min(text.find_first_not_of(' '), text.size()), ++number});
    at = end + 1;
  }
  return lines;
}

bool is_blank(const YamlLine& line) {
  return line.indent == line.text.size();
}

/// A plain, '…' or "…" scalar.
std::string scalar(std::string_view value) {
  std::string out;
  if (value.starts_with('\'') || value.starts_with('"')) {
    const char quote = value.front();
    for (std::size_t i = 1; i < value.size(); ++i) {
      const bool pair = i + 1 < value.size() && ((quote == '\'' && value.substr(i, 2) == "''") ||
                                                 (quote == '"' && value[i] == '\\'));
      if (pair) {
        out += value[++i];
      } else if (value[i] == quote) {
        break;
      } else {
        out += value[i];
      }
    }
    return out;
  }
  return std::string{value.substr(0, value.find(" #"))};
}

/// Items of `[a, "b, c"]`.
std::vector<std::string> flow_items(std::string_view value) {
  std::vector<std::string> items;
  value.remove_prefix(1);
  char quote = '\0';
  std::size_t begin = 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (quote != '\0') {
      quote = c == quote ? '\0' : quote;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == ',' || c == ']') {
      std::string_view item = value.substr(begin, i - begin);
      item.remove_prefix(std::min(item.find_first_not_of(' '), item.size()));
      items.push_back(scalar(item));
      begin = i + 1;
      if (c == ']') {
        break;
      }
    }
  }
  return items;
}

class YamlReader {
 public:
  explicit YamlReader(std::string_view content) : lines_{lines_of(content)} {}

  std::vector<Script> read() {
    while (at_ < lines_.size()) {
      const YamlLine& line = lines_[at_];
      if (is_blank(line) || line.text[line.indent] == '#') {
        ++at_;
      } else {
        entry(line);
      }
    }
    return std::move(scripts_);
  }

 private:
  /// `- key: value`, `key: value` or, in a list of commands, `- command`.
  void entry(const YamlLine& line) {
    std::size_t indent = line.indent;
    std::string_view rest = line.text.substr(indent);
    if (list_ && (indent < *list_ || (indent == *list_ && !rest.starts_with("-")))) {
      list_.reset();
    }
    const bool is_item = rest.starts_with("- ");
    while (rest.starts_with("- ")) {
      const std::size_t gap = std::min(rest.find_first_not_of(' ', 1), rest.size());
      indent += gap;
      rest.remove_prefix(gap);
    }
    const std::size_t colon = rest.find(':');
    const std::string_view key = rest.substr(0, colon);
    const bool has_key = colon != std::string_view::npos && is_in(key, kKeys) &&
                         (colon + 1 == rest.size() || rest[colon + 1] == ' ');
    ++at_;
    if (has_key) {
      std::string_view value = rest.substr(colon + 1);
      value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
      take(value, indent, line.number);
    } else if (is_item && list_) {
      take(rest, line.indent, line.number);
    }
  }

  void take(std::string_view value, std::size_t indent, int number) {
    if (value.empty() || value.front() == '#') {
      list_ = indent;
    } else if (value.front() == '|' || value.front() == '>') {
      block(value.front() == '>', indent);
    } else if (value.front() == '[') {
      for (std::string& item : flow_items(value)) {
        scripts_.push_back({std::move(item), number});
      }
    } else if (value.front() != '{' && value.front() != '&' && value.front() != '*') {
      scripts_.push_back({scalar(value), number});
    }
  }

  /// The lines deeper than `indent`; folded ones are one line for the shell.
  void block(bool folded, std::size_t indent) {
    Script script{{}, at_ < lines_.size() ? lines_[at_].number : 0};
    for (; at_ < lines_.size() && (is_blank(lines_[at_]) || lines_[at_].indent > indent); ++at_) {
      script.text += lines_[at_].text.substr(lines_[at_].indent);
      script.text += folded && !is_blank(lines_[at_]) ? " \\\n" : "\n";
    }
    scripts_.push_back(std::move(script));
  }

  std::vector<YamlLine> lines_;
  std::size_t at_ = 0;
  std::optional<std::size_t> list_;  ///< Indent of the key whose list of commands we are in.
  std::vector<Script> scripts_;
};

}  // namespace

std::vector<Script> scripts_of_yaml(std::string_view content) {
  return YamlReader{content}.read();
}

}  // namespace onelane::multicall::audit
