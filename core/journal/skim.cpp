#include "core/journal/skim.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "core/journal/line_scanner.hpp"
#include "core/sys/text.hpp"

namespace onelane::journal {
namespace {

enum class Want : std::uint8_t { Nothing, Schema, Text, Arguments, Signed, Unsigned, Code, Reason };

struct Field {
  std::string_view key;  ///< Name, quotes and colon.
  Want want = Want::Nothing;
  std::string_view Skim::*text = nullptr;
  std::int64_t Skim::*number = nullptr;
  std::uint64_t Skim::*amount = nullptr;
};

constexpr Field text_field(std::string_view key, std::string_view Skim::*member) {
  return {key, Want::Text, member};
}
constexpr Field number_field(std::string_view key, std::int64_t Skim::*member) {
  return {key, Want::Signed, nullptr, member};
}
constexpr Field amount_field(std::string_view key, std::uint64_t Skim::*member) {
  return {key, Want::Unsigned, nullptr, nullptr, member};
}

/// In the line's order, so that the next field is most often the one behind the last.
constexpr auto kFields = std::to_array<Field>({
    {R"("schema":)", Want::Schema},
    text_field(R"("id":)", &Skim::id),
    {R"("project":)"},
    text_field(R"("lane":)", &Skim::lane),
    text_field(R"("tool":)", &Skim::tool),
    {R"("argv":)", Want::Arguments},
    {R"("cwd":)"},
    text_field(R"("branch":)", &Skim::branch),
    {R"("label":)"},
    text_field(R"("class":)", &Skim::cls),
    text_field(R"("user":)", &Skim::user),
    {R"("uid":)"},
    {R"("tty":)"},
    text_field(R"("agent":)", &Skim::agent),
    number_field(R"("queued_wall_ms":)", &Skim::queued_wall_ms),
    number_field(R"("waited_ms":)", &Skim::waited_ms),
    number_field(R"("started_wall_ms":)", &Skim::started_wall_ms),
    number_field(R"("ended_wall_ms":)", &Skim::ended_wall_ms),
    number_field(R"("duration_ms":)", &Skim::duration_ms),
    number_field(R"("released_ms":)", &Skim::released_ms),
    {R"("code":)", Want::Code},
    number_field(R"("signal":)", &Skim::signal),
    {R"("reason":)", Want::Reason},
    amount_field(R"("peak_tree_kb":)", &Skim::peak_tree_kb),
    amount_field(R"("peak_process_kb":)", &Skim::peak_process_kb),
    amount_field(R"("peak_processes":)", &Skim::peak_processes),
    amount_field(R"("cpu_ms":)", &Skim::cpu_ms),
    {R"("read_bytes":)"},
    {R"("written_bytes":)"},
    {R"("context":)"},
    {R"("kept":)"},
    {R"("ended_leftovers":)"},
    {R"("survivors":)"},
    {R"("empty":)"},
    {R"("fence":)"},
    {R"("warnings":)"},
    {R"("orphans_ended":)"},
    {R"("attempt":)"},
    {R"("parts":)"},
    {R"("batch":)"},
    {R"("jobs":)"},
    text_field(R"("joined":)", &Skim::joined),
    {R"("same":)"},
    {R"("same_boot_ns":)"},
    {R"("card":)"},
});

/// Of a newer onelane, and sure to be valid JSON.
bool is_possible_name(std::string_view name) noexcept {
  return std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

}  // namespace

/// One line's fields, as long as they are in the form of to_line.
class Skimmer::Scan {
 public:
  Scan(Skimmer& out, std::string_view line) : out_{out}, scanner_{line, out.unescaped_} {}

  /// False: `parse` has to say what this line is.
  bool line() {
    if (!scanner_.take('{')) {
      return false;
    }
    do {
      if (!member()) {
        return false;
      }
    } while (scanner_.take(','));
    return scanner_.take('}') && scanner_.is_at_end() && schema_ >= 1 &&
           std::in_range<int>(schema_) && is_run_id(out_.skim_.id) &&
           (out_.skim_.joined.empty() || is_run_id(out_.skim_.joined));
  }

 private:
  bool member() {
    for (std::size_t i = 0; i < kFields.size(); ++i, ++next_) {
      next_ = next_ == kFields.size() ? 0 : next_;
      if (scanner_.take(kFields[next_].key)) {
        const std::uint64_t bit = std::uint64_t{1} << next_;
        const bool is_first = (seen_ & bit) == 0;
        seen_ |= bit;
        return is_first && value_of(kFields[next_++]);
      }
    }
    std::string_view name;
    return scanner_.name(name) && is_possible_name(name) && scanner_.anything();
  }

  bool value_of(const Field& field) {
    switch (field.want) {
      case Want::Nothing:
        return scanner_.anything();
      case Want::Schema:
        return scanner_.number(schema_);
      case Want::Text:
        return scanner_.text(out_.skim_.*field.text);
      case Want::Arguments:
        return scanner_.texts(out_.words_);
      case Want::Signed:
        return scanner_.number(out_.skim_.*field.number);
      case Want::Unsigned:
        return scanner_.number(out_.skim_.*field.amount);
      case Want::Code:
        // The smallest number means "no code" to `parse`.
        return scanner_.number(out_.skim_.code.emplace()) &&
               out_.skim_.code != std::numeric_limits<std::int64_t>::min();
      case Want::Reason:
        return reason();
    }
    return false;
  }

  bool reason() {
    std::string_view word;
    const auto known = scanner_.text(word) ? reason_of(word) : std::nullopt;
    out_.skim_.reason = known.value_or(Reason::Exited);
    return known.has_value();
  }

  Skimmer& out_;
  LineScanner scanner_;
  std::int64_t schema_ = 0;
  std::size_t next_ = 0;    ///< The field that is most likely next.
  std::uint64_t seen_ = 0;  ///< One bit a field: of two, `parse` knows which one counts.
};

const Skim* Skimmer::read(std::string_view line) noexcept try {
  if (line.ends_with('\n')) {
    line.remove_suffix(1);
  }
  skim_ = {};
  words_.clear();
  unescaped_.clear();
  unescaped_.reserve(line.size());  // it never grows while there are views into it
  if (line.size() > kLongestLine || !Scan{*this, line}.line()) {
    return read_slowly(line);
  }
  join_words();
  return &skim_;
} catch (const std::exception&) {
  return nullptr;  // out of memory, as for `parse`
}

const Skim* Skimmer::read_slowly(std::string_view line) {
  auto record = parse(line);
  if (!record) {
    return nullptr;
  }
  record_ = std::move(*record);
  words_.assign(record_.argv.begin(), record_.argv.end());
  skim_ = {record_.id,
           record_.lane,
           record_.tool,
           {},
           record_.branch,
           record_.cls,
           record_.user,
           record_.agent,
           record_.queued_wall_ms,
           record_.waited_ms,
           record_.started_wall_ms,
           record_.ended_wall_ms,
           record_.duration_ms,
           record_.released_ms,
           record_.code,
           record_.signal,
           record_.reason,
           record_.peak_tree_kb,
           record_.peak_process_kb,
           record_.peak_processes,
           record_.cpu_ms,
           record_.joined};
  join_words();
  return &skim_;
}

void Skimmer::join_words() {
  command_.clear();
  for (const std::string_view word : words_) {
    if (command_.size() > kLongestShown) {
      break;
    }
    command_.append(command_.empty() ? "" : " ");
    sys::append_printable(command_, word, kLongestShown);
  }
  if (command_.size() > kLongestShown) {
    std::string cut;
    sys::append_printable(cut, command_, kLongestShown);
    command_ = std::move(cut);
  }
  skim_.command = command_;
}

}  // namespace onelane::journal
