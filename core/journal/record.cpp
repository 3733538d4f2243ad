#include "core/journal/record.hpp"

#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>
#include <variant>

#include "core/sys/text.hpp"

namespace onelane::journal {
namespace {

constexpr std::size_t kLongestString = 4096;  // PATH_MAX: no path is cut
constexpr std::size_t kLongestArguments = 8192;
constexpr std::size_t kLongestCommand = 256;
constexpr std::size_t kLongestCard = std::size_t{64} << 10;
constexpr std::size_t kLongestCardText = std::size_t{16} << 10;
constexpr std::size_t kMostProcesses = 128;
constexpr std::size_t kUsualLine = 2048;

/// Levels of objects and arrays that a reader puts up with: a card is flat, and what is deeper
/// is hostile.
constexpr int kDeepest = 32;

using Member = std::variant<std::string Record::*, std::int64_t Record::*, std::uint64_t Record::*,
                            std::optional<std::int64_t> Record::*, bool Record::*, Reason Record::*,
                            std::vector<std::string> Record::*,
                            std::array<std::uint64_t, 8> Record::*, std::vector<Process> Record::*>;

struct Field {
  std::string_view name;
  Member member;
};

/// Every field with its name in the line, in the line's order: the writer and the reader cannot
/// disagree.
// Lines of an older onelane call a queue start a batch.
constexpr std::string_view kQueueStart = "queue_start";
constexpr std::string_view kOldQueueStart = "batch";
constexpr std::string_view kOldQueueStartClass = "batch";

constexpr auto kFields = std::to_array<Field>({
    {"schema", &Record::schema},
    {"id", &Record::id},
    {"project", &Record::project},
    {"lane", &Record::lane},
    {"tool", &Record::tool},
    {"argv", &Record::argv},
    {"cwd", &Record::cwd},
    {"branch", &Record::branch},
    {"label", &Record::label},
    {"class", &Record::cls},
    {"user", &Record::user},
    {"uid", &Record::uid},
    {"tty", &Record::tty},
    {"agent", &Record::agent},
    {"queued_wall_ms", &Record::queued_wall_ms},
    {"waited_ms", &Record::waited_ms},
    {"started_wall_ms", &Record::started_wall_ms},
    {"ended_wall_ms", &Record::ended_wall_ms},
    {"duration_ms", &Record::duration_ms},
    {"released_ms", &Record::released_ms},
    {"code", &Record::code},
    {"signal", &Record::signal},
    {"reason", &Record::reason},
    {"peak_tree_kb", &Record::peak_tree_kb},
    {"peak_process_kb", &Record::peak_process_kb},
    {"peak_processes", &Record::peak_processes},
    {"cpu_ms", &Record::cpu_ms},
    {"read_bytes", &Record::read_bytes},
    {"written_bytes", &Record::written_bytes},
    {"context", &Record::context},
    {"kept", &Record::kept},
    {"ended_leftovers", &Record::ended_leftovers},
    {"survivors", &Record::survivors},
    {"empty", &Record::empty},
    {"fence", &Record::fence},
    {"warnings", &Record::warnings},
    {"orphans_ended", &Record::orphans_ended},
    {"attempt", &Record::attempt},
    {"parts", &Record::parts},
    {kQueueStart, &Record::queue_start},
    {"jobs", &Record::jobs},
    {"joined", &Record::joined},
    {"pipeline_of", &Record::pipeline_of},
    {"same", &Record::same},
    {"same_boot_ns", &Record::same_boot_ns},
    {"card", &Record::card},
});
constexpr const Field& kCard = kFields.back();
constexpr Member kContext = &Record::context;

/// Those that the writer takes as they come: all but schema and id, always there, and the card.
constexpr std::span kWritten = std::span{kFields}.subspan<2, kFields.size() - 3>();

// A bit each in LineHandler::seen_.
static_assert(kFields.size() <= 64);

/// Fills a record from what RapidJSON finds in a line. Each function is called for one thing found;
/// false ends the reading.
class LineHandler {
 public:
  /// `text` is read in situ and must be a copy of `line`.
  LineHandler(Record& out, rapidjson::InsituStringStream& text, std::string_view line, int deepest)
      : out_{out}, text_{text}, line_{line}, deepest_{deepest} {}

  // NOLINTBEGIN(readability-identifier-naming): the names are RapidJSON's.
  bool Null() { return begin_value(); }
  bool Bool(bool value) {
    if (bool* const out = field<bool>()) {
      *out = value;
    }
    return begin_value();
  }
  bool Int(int value) { return number(value); }
  bool Uint(unsigned value) { return number(value); }
  bool Int64(std::int64_t value) { return number(value); }
  bool Uint64(std::uint64_t value) { return number(value); }
  bool Double(double /*value*/) { return begin_value(); }
  bool RawNumber(const char* /*text*/, rapidjson::SizeType /*size*/, bool /*copy*/) {
    return false;  // not asked for
  }
  bool String(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    const std::string_view value{text, size};
    // RapidJSON writes half a surrogate pair as it comes; its own check would miss that.
    if (!begin_value() || !sys::is_utf8(value)) {
      return false;
    }
    if (auto* const out = field<std::string>()) {
      *out = value;
    } else if (auto* const reason = field<Reason>()) {
      *reason = reason_of(value).value_or(Reason::Exited);
    } else if (depth_ == 2 && texts_ != nullptr) {
      texts_->back() = value;
    } else if (is_in_process() && key_ == "command") {
      processes_->back().command = value;
    }
    return true;
  }
  bool Key(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    key_ = {text, size};
    if (depth_ == 1 && key_ == kOldQueueStart) {
      key_ = kQueueStart;
    }
    return (depth_ == 1 && choose_field()) || sys::is_utf8(key_);
  }
  bool StartObject() {
    if (depth_ == 2 && processes_ != nullptr) {
      processes_->emplace_back();
      is_process_ = true;
    }
    if (depth_ == 1 && field_ == &kCard) {
      card_ = text_.Tell() - 1;
    }
    (void)begin_value();  // at depth 0, the record itself
    return ++depth_ <= deepest_;
  }
  bool EndObject(rapidjson::SizeType /*members*/) {
    --depth_;
    is_process_ = is_process_ && depth_ > 2;
    if (depth_ == 1 && field_ == &kCard) {
      out_.card = line_.substr(card_, text_.Tell() - card_);
    }
    return true;
  }
  bool StartArray() {
    if (depth_ == 1) {
      texts_ = field<std::vector<std::string>>();
      numbers_ = field<std::array<std::uint64_t, 8>>();
      processes_ = field<std::vector<Process>>();
      index_ = 0;
    }
    return begin_value() && ++depth_ <= deepest_;
  }
  bool EndArray(rapidjson::SizeType /*elements*/) {
    if (--depth_ == 1) {
      texts_ = nullptr;
      numbers_ = nullptr;
      processes_ = nullptr;
    }
    return true;
  }
  // NOLINTEND(readability-identifier-naming)

 private:
  /// An element of a list has its place there, whatever it is. False where there is no object
  /// around the value.
  bool begin_value() {
    if (depth_ == 2) {
      ++index_;
      if (texts_ != nullptr) {
        texts_->emplace_back();
      }
    }
    return depth_ > 0;
  }

  template <class Number>
  bool number(Number value) {
    if (!begin_value()) {
      return false;
    }
    if (auto* const out = field<std::int64_t>()) {
      assign(value, *out);
    } else if (auto* const amount = field<std::uint64_t>()) {
      assign(value, *amount);
    } else if (auto* const code = field<std::optional<std::int64_t>>()) {
      std::int64_t known = 0;
      *code = assign(value, known) ? std::optional{known} : std::nullopt;
    } else if (depth_ == 2 && numbers_ != nullptr && index_ <= numbers_->size()) {
      assign(value, numbers_->at(index_ - 1));
    } else if (is_in_process() && key_ == "pid") {
      assign(value, processes_->back().pid);
    } else if (is_in_process() && key_ == "start") {
      assign(value, processes_->back().start);
    }
    return true;
  }

  template <class From, class Number>
  static bool assign(From value, Number& out) {
    const bool fits = std::in_range<Number>(value);
    out = fits ? static_cast<Number>(value) : out;
    return fits;
  }

  /// The field whose value this is, where it is of that type.
  template <class Value>
  Value* field() {
    if (depth_ != 1 || field_ == nullptr) {
      return nullptr;
    }
    const auto* const member = std::get_if<Value Record::*>(&field_->member);
    return member == nullptr ? nullptr : &(out_.**member);
  }

  /// False for a field of a newer onelane.
  bool choose_field() {
    field_ = nullptr;
    for (std::size_t i = 0; i < kFields.size(); ++i, ++next_) {
      next_ = next_ == kFields.size() ? 0 : next_;
      if (kFields[next_].name == key_) {
        field_ = &kFields[next_];
        const std::uint64_t bit = std::uint64_t{1} << next_++;
        if ((seen_ & bit) != 0) {
          reset(*field_);
        }
        seen_ |= bit;
        return true;
      }
    }
    return false;
  }

  void reset(const Field& field) {
    static const Record none;
    std::visit([this](auto member) { out_.*member = none.*member; }, field.member);
  }

  [[nodiscard]] bool is_in_process() const { return depth_ == 3 && is_process_; }

  Record& out_;
  rapidjson::InsituStringStream& text_;
  std::string_view line_;
  int deepest_;
  int depth_ = 0;
  const Field* field_ = nullptr;  ///< Of the record, whose value comes.
  std::size_t next_ = 0;          ///< The field that is most likely next.
  std::uint64_t seen_ = 0;
  std::string_view key_;  ///< The last one.
  std::size_t card_ = 0;  ///< Where it begins.
  // The list that is read, if any.
  std::vector<std::string>* texts_ = nullptr;
  std::array<std::uint64_t, 8>* numbers_ = nullptr;
  std::vector<Process>* processes_ = nullptr;
  std::size_t index_ = 0;    ///< Elements so far.
  bool is_process_ = false;  ///< In an object in that list.
};

/// Reads `line`, a JSON object, over `out`; `text` becomes a copy of it, with its texts unescaped.
bool read_object(std::string_view line, std::string& text, Record& out, int deepest) {
  text = line;
  rapidjson::InsituStringStream stream{text.data()};
  LineHandler handler{out, stream, line, deepest};
  // Its levels of calls are as many as those of the line, which the handler limits.
  rapidjson::Reader reader;
  const bool is_valid = !reader.Parse<rapidjson::kParseInsituFlag>(stream, handler).IsError();
  return is_valid && stream.Tell() == line.size();  // a NUL ends its text
}

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
  if (text.size() > kLongestCard || first == std::string::npos || text[first] != '{') {
    return false;
  }
  std::string copy;
  Record ignored;
  return read_object(text, copy, ignored, kDeepest - 1);
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

std::string command_text(const Record& record, std::size_t limit) {
  std::string text;
  for (const std::string& word : record.argv) {
    if (text.size() > limit) {
      break;
    }
    text.append(text.empty() ? "" : " ");
    sys::append_printable(text, word, limit);
  }
  return text.size() > limit ? sys::printable(text, limit) : text;
}

std::string to_line(const Record& record, Context context) {
  std::string out;
  out.reserve(kUsualLine);
  Writer write{out};
  out.append(kLineStart);
  write.number(record.schema);
  write.key("id");
  write.quoted(record.id, kLongestString);
  for (const Field& field : kWritten) {
    if (context == Context::Written || field.member != kContext) {
      std::visit([&](auto member) { write(field.name, record.*member); }, field.member);
    }
  }
  append_card(write, out, record.card);
  out.append("}\n");
  return out;
}

bool LineReader::read(std::string_view line, Record& record) noexcept try {
  static const Record none;
  record = none;  // texts keep their memory
  record.schema = 0;
  if (line.size() > kLongestLine || !read_object(line, text_, record, kDeepest) ||
      record.schema < 1 || !is_run_id(record.id)) {
    return false;  // an id is shown, compared and part of file names
  }
  if (record.cls == kOldQueueStartClass) {
    record.cls = kQueueStartClass;
  }
  for (std::string* other : {&record.queue_start, &record.joined, &record.pipeline_of}) {
    if (!is_run_id(*other)) {
      other->clear();
    }
  }
  std::erase_if(record.jobs, [](const std::string& job) { return !is_run_id(job); });
  return true;
} catch (const std::exception&) {
  return false;  // out of memory
}

std::optional<Record> parse(std::string_view line) noexcept {
  std::optional<Record> record{std::in_place};
  if (!LineReader{}.read(line, *record)) {
    record.reset();
  }
  return record;
}

}  // namespace onelane::journal
