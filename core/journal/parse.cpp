#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/journal/fields.hpp"
#include "core/journal/record.hpp"

namespace onelane::journal {
namespace {

using Json = nlohmann::json;

constexpr auto kNoCode = std::numeric_limits<std::int64_t>::min();

template <class Number, class From>
void assign(From number, Number& out) {
  if (std::in_range<Number>(number)) {
    out = static_cast<Number>(number);
  }
}

template <class Number>
void read_number(const Json& value, Number& out) {
  // An unsigned value is also an integer to nlohmann::json; a fraction is neither.
  if (value.is_number_unsigned()) {
    assign(value.get<std::uint64_t>(), out);
  } else if (value.is_number_integer()) {
    assign(value.get<std::int64_t>(), out);
  }
}

void read_text(const Json& value, std::string& out) {
  if (value.is_string()) {
    out = value.get_ref<const std::string&>();
  }
}

/// Fills the fields that are there and of the right type.
class Reader {
 public:
  explicit Reader(const Json& line) : line_{line} {}

  void operator()(const char* name, std::string& out) const { read_text(at(name), out); }
  void operator()(const char* name, std::int64_t& out) const { read_number(at(name), out); }
  void operator()(const char* name, std::uint64_t& out) const { read_number(at(name), out); }
  void operator()(const char* name, std::optional<std::int64_t>& out) const {
    std::int64_t code = kNoCode;
    read_number(at(name), code);
    if (code != kNoCode) {
      out = code;
    }
  }
  void operator()(const char* name, bool& out) const {
    out = at(name).is_boolean() && at(name).get<bool>();
  }
  void operator()(const char* name, Reason& out) const {
    std::string word;
    read_text(at(name), word);
    out = reason_of(word).value_or(out);
  }
  void operator()(const char* name, std::vector<std::string>& out) const {
    for (const Json& item : elements(name)) {
      read_text(item, out.emplace_back());
    }
  }
  void operator()(const char* name, std::array<std::uint64_t, 8>& out) const {
    std::size_t i = 0;
    for (const Json& item : elements(name)) {
      if (i < out.size()) {
        read_number(item, out[i++]);
      }
    }
  }
  void operator()(const char* name, std::vector<Process>& out) const {
    for (const Json& item : elements(name)) {
      if (item.is_object()) {
        const Reader fields{item};
        Process& process = out.emplace_back();
        read_number(fields.at("pid"), process.pid);
        fields("start", process.start);
        fields("command", process.command);
      }
    }
  }
  void card(std::string& out) const {
    const Json& value = at("card");
    if (value.is_object()) {
      out = value.dump();
    } else {
      read_text(value, out);
    }
  }
  [[nodiscard]] const Json& at(const char* name) const {
    static const Json none;
    const auto found = line_.find(name);
    return found == line_.end() ? none : *found;
  }

 private:
  [[nodiscard]] const Json& elements(const char* name) const {
    static const Json none = Json::array();
    return at(name).is_array() ? at(name) : none;
  }
  const Json& line_;
};

}  // namespace

std::size_t end_of_nested(std::string_view text, int deepest) noexcept {
  int depth = 0;
  bool is_string = false;
  for (std::size_t i = 0; i < text.size() && depth <= deepest; ++i) {
    const char c = text[i];
    if (is_string) {
      i += c == '\\' ? 1 : 0;
      is_string = c != '"';
    } else if (c == '"') {
      is_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

std::optional<Record> parse(std::string_view line) noexcept try {
  if (line.size() > kLongestLine || end_of_nested(line, kDeepest) == std::string_view::npos) {
    return std::nullopt;
  }
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) {
    return std::nullopt;
  }
  Reader read{json};
  Record record;
  record.schema = 0;
  read_number(read.at("schema"), record.schema);
  read("id", record.id);
  if (record.schema < 1 || !is_run_id(record.id)) {
    return std::nullopt;  // an id is shown, compared and part of file names
  }
  visit_fields(record, read);
  for (std::string* other : {&record.batch, &record.joined, &record.pipeline_of}) {
    if (!is_run_id(*other)) {
      other->clear();
    }
  }
  std::erase_if(record.jobs, [](const std::string& job) { return !is_run_id(job); });
  read.card(record.card);
  return record;
} catch (const std::exception&) {
  return std::nullopt;  // out of memory
}

}  // namespace onelane::journal
