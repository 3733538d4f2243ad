#include "core/journal/record.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "core/journal/fields.hpp"

namespace onelane::journal {
namespace {

constexpr std::size_t kLongestString = 4096;  // PATH_MAX: no path is cut
constexpr std::size_t kLongestArguments = 8192;
constexpr std::size_t kLongestCommand = 256;
constexpr std::size_t kLongestCard = std::size_t{64} << 10;
constexpr std::size_t kLongestCardText = std::size_t{16} << 10;
constexpr std::size_t kMostProcesses = 128;
constexpr std::size_t kUsualLine = 2048;

/// Appends fields to a line, each with a comma before it; defaults are left out.
class Writer {
 public:
  explicit Writer(std::string& out) : out_{out} {}

  void operator()(std::string_view name, const std::string& text) {
    if (!text.empty()) {
      key(name);
      quoted(text, kLongestString);
    }
  }
  void operator()(std::string_view name, std::int64_t value) {
    if (value != 0) {
      key(name);
      number(value);
    }
  }
  void operator()(std::string_view name, std::uint64_t value) {
    if (value != 0) {
      key(name);
      number(value);
    }
  }
  void operator()(std::string_view name, const std::optional<std::int64_t>& value) {
    if (value) {
      key(name);
      number(*value);
    }
  }
  void operator()(std::string_view name, bool value) {
    if (value) {
      key(name);
      out_.append("true");
    }
  }
  void operator()(std::string_view name, Reason reason) {
    key(name);
    quoted(word_of(reason), kLongestString);
  }
  void operator()(std::string_view name, const std::vector<std::string>& list) {
    if (list.empty()) {
      return;
    }
    key(name);
    out_.push_back('[');
    std::size_t left = kLongestArguments;
    for (const auto& text : list) {
      if (left == 0) {
        out_.append("\"\u2026\",");
        break;
      }
      quoted(text, left);
      out_.push_back(',');
      left -= std::min(left, text.size() + 1);  // empty arguments count too
    }
    out_.back() = ']';
  }
  void operator()(std::string_view name, const std::array<std::uint64_t, 8>& values) {
    if (values == std::array<std::uint64_t, 8>{}) {
      return;
    }
    key(name);
    out_.push_back('[');
    for (const std::uint64_t value : values) {
      number(value);
      out_.push_back(',');
    }
    out_.back() = ']';
  }
  void operator()(std::string_view name, const std::vector<Process>& list) {
    if (list.empty()) {
      return;
    }
    key(name);
    out_.push_back('[');
    for (std::size_t i = 0; i < std::min(list.size(), kMostProcesses); ++i) {
      out_.append(R"({"pid":)");
      number(list[i].pid);
      out_.append(R"(,"start":)");
      number(list[i].start);
      out_.append(R"(,"command":)");
      quoted(list[i].command, kLongestCommand);
      out_.append("},");
    }
    out_.back() = ']';
  }

  void key(std::string_view name) { out_.append(",\"").append(name).append("\":"); }
  void quoted(std::string_view text, std::size_t limit) {
    out_.push_back('"');
    sys::append_escaped(out_, text, limit);
    out_.push_back('"');
  }
  template <class Number>
  void number(Number value) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    out_.append(digits.data(), end);
  }

 private:
  std::string& out_;
};

bool is_object(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return text.size() <= kLongestCard && first != std::string::npos && text[first] == '{' &&
         end_of_nested(text, kDeepest - 1) != std::string_view::npos &&
         nlohmann::json::accept(text);
}

/// The card on one line. Control bytes are blanks between tokens here, and a bare quote is
/// never part of a string, so both changes mean nothing to a reader of JSON.
void append_card(Writer& write, std::string& out, const std::string& card) {
  if (card.empty()) {
    return;
  }
  write.key("card");
  if (!is_object(card)) {
    write.quoted(card, kLongestCardText);
    return;
  }
  std::string object = card;
  std::ranges::replace_if(
      object, [](unsigned char byte) { return byte < 0x20; }, ' ');
  for (auto at = object.find(kLineStart); at != std::string::npos;
       at = object.find(kLineStart, at)) {
    object.insert(at + 1, 1, ' ');
  }
  out.append(object);
}

}  // namespace

std::string to_line(const Record& record) {
  std::string out;
  out.reserve(kUsualLine);
  Writer write{out};
  out.append(kLineStart);
  write.number(record.schema);
  write.key("id");
  write.quoted(record.id, kLongestString);
  visit_fields(record, write);
  append_card(write, out, record.card);
  out.append("}\n");
  return out;
}

}  // namespace onelane::journal
