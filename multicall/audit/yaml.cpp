#include <yaml.h>

#include <algorithm>
#include <new>

#include "multicall/audit/prefixes.hpp"
#include "multicall/audit/sources.hpp"

namespace onelane::multicall::audit {
namespace {

/// Keys whose value is a command or a list of commands, in all the file formats we read.
constexpr std::string_view kKeys =
    "after_script before_script before_install cmd cmds command commands entry install run script";

/// libyaml takes time with the square of the depth; no hand-written file has a tenth of this.
constexpr std::size_t kDeepestYaml = 200;

/// The events of a YAML text, from libyaml. In events an alias is just a name, so that each script
/// is found only once, where it is written.
class YamlEvents {
 public:
  explicit YamlEvents(std::string_view content) {
    if (yaml_parser_initialize(&parser_) == 0) {
      throw std::bad_alloc{};
    }
    // libyaml takes unsigned char.
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(content.data()),
                                 content.size());
  }
  YamlEvents(const YamlEvents&) = delete;
  YamlEvents& operator=(const YamlEvents&) = delete;
  ~YamlEvents() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }

  /// The next event, valid until the next call; null at the end or after a fault.
  const yaml_event_t* next() {
    yaml_event_delete(&event_);
    return yaml_parser_parse(&parser_, &event_) != 0 && event_.type != YAML_STREAM_END_EVENT
               ? &event_
               : nullptr;
  }

  /// "no YAML: line 3: did not find expected key"; empty if the whole text could be read.
  [[nodiscard]] std::string fault() const {
    if (parser_.error == YAML_NO_ERROR) {
      return "";
    }
    const std::string place = parser_.error == YAML_READER_ERROR
                                  ? "byte " + std::to_string(parser_.problem_offset)
                                  : "line " + std::to_string(parser_.problem_mark.line + 1);
    return "no YAML: " + place + ": " +
           (parser_.problem == nullptr ? "cannot be read" : parser_.problem);
  }

 private:
  yaml_parser_t parser_{};
  yaml_event_t event_{};
};

std::vector<std::string_view> lines_of(std::string_view content) {
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t end = std::min(content.find('\n', at), content.size());
    lines.push_back(content.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// Finds the commands in the events.
class YamlReader {
 public:
  explicit YamlReader(std::string_view content) : lines_{lines_of(content)}, events_{content} {}

  Scripts read() {
    while (const yaml_event_t* event = levels_.size() < kDeepestYaml ? events_.next() : nullptr) {
      take(*event);
    }
    out_.fault = levels_.size() < kDeepestYaml ? events_.fault() : "is nested too deeply";
    return std::move(out_);
  }

 private:
  /// A map or list that is open.
  struct Level {
    bool is_map = false;
    bool has_commands = false;  ///< The next value is a command or a list of commands.
    bool at_key = false;        ///< In a map: a key comes next.
  };

  void take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_SCALAR_EVENT:
        scalar(event);
        break;
      case YAML_ALIAS_EVENT:
        pass_value(false);
        break;
      case YAML_MAPPING_START_EVENT:
        levels_.push_back({.is_map = true, .at_key = true});
        break;
      case YAML_SEQUENCE_START_EVENT:
        levels_.push_back({.has_commands = wants_command()});
        break;
      case YAML_MAPPING_END_EVENT:
      case YAML_SEQUENCE_END_EVENT:
        levels_.pop_back();
        pass_value(false);
        break;
      default:
        break;
    }
  }

  [[nodiscard]] bool wants_command() const {
    return !levels_.empty() && !levels_.back().at_key && levels_.back().has_commands;
  }

  /// After a key comes its value, after a value the next key.
  void pass_value(bool is_command_key) {
    if (levels_.empty() || !levels_.back().is_map) {
      return;
    }
    Level& map = levels_.back();
    map.has_commands = map.at_key && is_command_key;
    map.at_key = !map.at_key;
  }

  void scalar(const yaml_event_t& event) {
    const auto& data = event.data.scalar;
    const std::string_view text{reinterpret_cast<const char*>(data.value), data.length};
    if (wants_command() && !text.empty()) {
      const bool is_folded = data.style == YAML_FOLDED_SCALAR_STYLE;
      const bool is_block = is_folded || data.style == YAML_LITERAL_SCALAR_STYLE;
      out_.all.push_back({is_folded ? folded_lines(event) : std::string{text},
                          static_cast<int>(event.start_mark.line) + (is_block ? 2 : 1)});
    }
    pass_value(is_in(text, kKeys));
  }

  /// A folded text is one line for the shell. Returns its lines as they are in the file, joined
  /// with backslashes, so that a finding has the right line number.
  std::string folded_lines(const yaml_event_t& event) {
    std::string text;
    const std::size_t end = std::min(event.end_mark.line, lines_.size());
    for (std::size_t i = event.start_mark.line + 1; i < end; ++i) {
      std::string_view line = lines_[i];
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      line.remove_suffix(line.ends_with('\r') ? 1 : 0);
      text += std::string{line} + (line.empty() ? "\n" : " \\\n");
    }
    return text;
  }

  std::vector<std::string_view> lines_;
  YamlEvents events_;
  std::vector<Level> levels_;
  Scripts out_;
};

}  // namespace

Scripts scripts_of_yaml(std::string_view content) {
  return YamlReader{content}.read();
}

}  // namespace onelane::multicall::audit
