#include "multicall/init/json_text.hpp"

#include <algorithm>

namespace onelane::multicall::setup {
namespace {

using nlohmann::ordered_json;
using Members = std::vector<std::pair<std::string, ordered_json>>;

/// Walks through a text that parse_json has accepted.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : text_{text} {}

  /// Where the value behind `path` begins.
  std::optional<std::size_t> find(const std::vector<std::string>& path) {
    skip_space();
    for (const std::string& key : path) {
      if (!enter(key)) {
        return std::nullopt;
      }
    }
    return at_;
  }

  void skip_space_from(std::size_t at) {
    at_ = at;
    skip_space();
  }
  [[nodiscard]] std::size_t at() const noexcept { return at_; }
  [[nodiscard]] char here() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }

 private:
  /// From an object to the value of its member `key`.
  bool enter(std::string_view key) {
    if (here() != '{') {
      return false;
    }
    ++at_;
    for (skip_space(); here() == '"'; skip_space()) {
      const std::size_t name = at_ + 1;
      skip_string();
      const bool is_it = text_.substr(name, at_ - 1 - name) == key;
      skip_space();
      ++at_;  // the colon
      skip_space();
      if (is_it) {
        return true;
      }
      skip_value();
      skip_space();
      at_ += here() == ',' ? 1U : 0U;
    }
    return false;
  }

  void skip_space() {
    for (;;) {
      const std::string_view rest = text_.substr(std::min(at_, text_.size()));
      if (rest.starts_with("//")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (rest.starts_with("/*")) {
        const std::size_t end = text_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? text_.size() : end + 2;
      } else if (!rest.empty() && std::string_view{" \t\r\n"}.find(rest[0]) != rest.npos) {
        ++at_;
      } else {
        return;
      }
    }
  }

  void skip_string() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      at_ += text_[at_] == '\\' ? 1U : 0U;
    }
    ++at_;
  }

  void skip_value() {
    std::size_t depth = 0;
    do {
      const char c = here();
      if (c == '"') {
        skip_string();
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at_;
      } else if (c == '}' || c == ']') {
        --depth;
        ++at_;
      } else if (c == ',' || c == ':') {
        ++at_;
      } else {
        at_ = std::min(text_.find_first_of(" \t\r\n,]}/", at_), text_.size());
      }
      if (depth > 0) {
        skip_space();
      }
    } while (depth > 0 && at_ < text_.size());
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// How the members of one container are laid out.
struct Layout {
  bool is_inline = false;
  bool is_empty = false;
  std::string indent;  ///< In front of a member.
  std::string close;   ///< What the closing bracket of an empty one still needs in front of it.
  int unit = 2;
  char blank = ' ';
};

std::string_view indent_before(std::string_view text, std::size_t at) {
  const std::size_t newline = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  const std::size_t line = newline == std::string_view::npos ? 0 : newline + 1;
  const std::size_t end = std::min(text.find_first_not_of(" \t", line), at);
  return text.substr(line, end - line);
}

/// `open`: where the container begins; `depth`: how many are around its members.
Layout layout_of(std::string_view text, std::size_t open, std::size_t depth) {
  Layout layout;
  JsonScanner scanner{text};
  scanner.skip_space_from(open + 1);
  layout.is_empty = scanner.here() == '}' || scanner.here() == ']';
  const std::size_t first = scanner.at();
  const bool is_one_line = text.substr(open, first - open).find('\n') == std::string_view::npos;
  if (layout.is_empty) {
    const std::string outer{indent_before(text, open)};
    layout.blank = outer.starts_with('\t') ? '\t' : ' ';
    layout.unit = layout.blank == '\t' ? 1 : 2;
    layout.indent = outer + std::string(static_cast<std::size_t>(layout.unit), layout.blank);
    layout.close = is_one_line ? "\n" + outer : "";
    return layout;
  }
  layout.is_inline = is_one_line;
  layout.indent = indent_before(text, first);
  layout.blank = layout.indent.starts_with('\t') ? '\t' : ' ';
  layout.unit =
      std::max(1, static_cast<int>(layout.indent.size() / std::max<std::size_t>(depth, 1)));
  return layout;
}

std::string written(const std::pair<std::string, ordered_json>& member, const Layout& layout) {
  const std::string name = member.first.empty() ? "" : ordered_json(member.first).dump() + ": ";
  const std::string value =
      layout.is_inline ? member.second.dump() : member.second.dump(layout.unit, layout.blank);
  std::string text = name;
  for (const char c : value) {
    text += c;
    text += c == '\n' ? layout.indent : "";
  }
  return text;
}

std::string written(const Members& members, const Layout& layout) {
  std::string text;
  for (const auto& member : members) {
    const bool is_last = &member == &members.back();
    const std::string comma = is_last && layout.is_empty ? "" : ",";
    text += layout.is_inline ? written(member, layout) + comma + " "
                             : "\n" + layout.indent + written(member, layout) + comma;
  }
  return text + layout.close;
}

/// False when one of them cannot be added.
bool add(ordered_json& into, const Members& members) {
  for (const auto& [name, value] : members) {
    if (name.empty() ? !into.is_array() : !into.is_object() || into.contains(name)) {
      return false;
    }
    if (name.empty()) {
      into.insert(into.begin(), value);
    } else {
      into[name] = value;
    }
  }
  return true;
}

}  // namespace

std::optional<ordered_json> parse_json(std::string_view text) {
  ordered_json value = ordered_json::parse(text, nullptr, false, true);
  return value.is_discarded() ? std::nullopt : std::optional{std::move(value)};
}

std::optional<Insertion> insert_json(std::string_view text, const std::vector<std::string>& path,
                                     const Members& members) {
  auto wanted = parse_json(text);
  if (!wanted) {
    return std::nullopt;
  }
  ordered_json* container = &*wanted;
  for (const std::string& key : path) {
    if (!container->is_object() || !container->contains(key)) {
      return std::nullopt;
    }
    container = &(*container)[key];
  }
  const auto open = JsonScanner{text}.find(path);
  if (!open || !add(*container, members)) {
    return std::nullopt;
  }
  Insertion insertion{*open + 1, written(members, layout_of(text, *open, path.size() + 1))};
  const auto after = parse_json(insertion.into(text));
  // As plain values: the order of members means nothing.
  if (!after || nlohmann::json(*after) != nlohmann::json(*wanted)) {
    return std::nullopt;
  }
  return insertion;
}

}  // namespace onelane::multicall::setup
