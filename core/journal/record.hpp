#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/sys/reason.hpp"
#include "core/sys/run_id.hpp"

namespace onelane::journal {

using sys::Reason;
using sys::reason_of;
using sys::word_of;

/// A process as the journal names it: pid and start time (proc(5), field 22) are its identity.
struct Process {
  std::int32_t pid = 0;
  std::uint64_t start = 0;
  std::string command;
  friend bool operator==(const Process&, const Process&) = default;
};

/// One run, as one line of runs.jsonl. In the line every field has its name here, but `cls`,
/// which is "class"; the names and their meaning are stable, new ones may be added. A field
/// that is empty, zero or false is left out; `schema`, `id` and `reason` are always there.
struct Record {
  std::int64_t schema = 1;
  std::string id;                 ///< Run id: 11 characters, see is_run_id.
  std::string project;            ///< Root of the project, a path.
  std::string lane;               ///< State directory of the lane, a path.
  std::string tool;               ///< "make".
  std::vector<std::string> argv;  ///< As called; cut at 8 KiB, then one element "…".
  std::string cwd;
  std::string branch;
  std::string label;  ///< What the user calls the run.
  std::string cls;    ///< "lane", "editor", "service" or "queue-start".
  std::string user;
  std::uint64_t uid = 0;
  std::string tty;    ///< "pts/3", empty for none.
  std::string agent;  ///< Which agent or CI the call came from, empty for a person.

  std::int64_t queued_wall_ms = 0;  ///< Milliseconds since the epoch, as all `_wall_ms`.
  std::int64_t waited_ms = 0;       ///< For the lane.
  std::int64_t started_wall_ms = 0;
  std::int64_t ended_wall_ms = 0;
  std::int64_t duration_ms = 0;  ///< From the start to the end of the tool; wall clocks may jump.
  std::int64_t released_ms = 0;  ///< From the start until it gave the lane back and went on.

  std::optional<std::int64_t> code;  ///< Exit status, when it exited.
  std::int64_t signal = 0;           ///< That it died of, 0 for none.
  Reason reason = Reason::Exited;

  std::uint64_t peak_tree_kb = 0;     ///< KiB, all processes together.
  std::uint64_t peak_process_kb = 0;  ///< KiB, the largest one.
  std::uint64_t peak_processes = 0;
  std::uint64_t cpu_ms = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t written_bytes = 0;

  /// What sorting the run's leftovers later needs; opaque here, as in the lane's record.
  std::array<std::uint64_t, 8> context{};
  std::vector<Process> kept;          ///< Left running on purpose; at most 128 are written.
  std::uint64_t ended_leftovers = 0;  ///< Stragglers ended by us.
  std::vector<Process> survivors;     ///< Could not be ended; at most 128 are written.
  bool empty = false;                 ///< The tree was seen empty, kept ones apart.
  std::uint64_t fence = 0;            ///< Sequence of the ticket.
  std::uint64_t warnings = 0;
  std::uint64_t orphans_ended = 0;  ///< Of earlier runs, by this one.

  std::uint64_t attempt = 0;      ///< From 1 where a run may be tried again: a record for each.
  std::uint64_t parts = 0;        ///< Commands that ran one after the other in place of `argv`.
  std::string queue_start;        ///< Run id of the queue start that it is a job of.
  std::vector<std::string> jobs;  ///< Of a queue start: the run ids of its jobs, in their order.
  std::string joined;             ///< Run whose result it took instead of running itself.
  std::string pipeline_of;        ///< Run beside which it started, as a part of its pipeline.

  /// What was called and on which files, for those who may take its result: 16 hexadecimal digits
  /// of the call, a dot, 32 of the files. Empty where its output is not kept whole.
  std::string same;
  std::uint64_t same_boot_ns = 0;  ///< With `same`: when it began, on the clock of the boot.

  /// Why a limit was enforced: the text of a JSON object, empty for none. In the line it is
  /// that object, and it is read back as it stands there. Anything else is kept as a string.
  std::string card;

  friend bool operator==(const Record&, const Record&) = default;
};

/// Class of the record of a queue start.
inline constexpr std::string_view kQueueStartClass = "queue-start";

/// True for the record of a queue start, which is no run: its jobs have records of their own.
[[nodiscard]] inline bool is_queue_start(const Record& record) noexcept {
  return record.cls == kQueueStartClass;
}

/// A tool was run, or was to be: its figures count. Not a queue start, nor what took another's
/// result.
[[nodiscard]] inline bool is_run(const Record& record) noexcept {
  return !is_queue_start(record) && record.joined.empty();
}

/// How long it had the lane.
[[nodiscard]] inline std::int64_t held_ms(const Record& record) noexcept {
  const bool gave_back_early = record.released_ms > 0 &&
                               (record.duration_ms <= 0 || record.released_ms < record.duration_ms);
  return gave_back_early ? record.released_ms : record.duration_ms;
}

/// The arguments joined by a blank, for people as sys::append_printable has it; of more than
/// `limit` bytes the first ones and "…".
[[nodiscard]] std::string command_text(const Record& record, std::size_t limit = std::string::npos);

/// How every line begins, and nothing inside a line.
inline constexpr std::string_view kLineStart = R"({"schema":)";

/// Longest line that is written (far from it in practice) or taken for one when reading.
inline constexpr std::size_t kLongestLine = std::size_t{2} << 20;

/// Nothing but a run id ever becomes part of a file name.
using sys::is_run_id;

/// Whether `context`, of which people can make nothing, is in a line.
enum class Context : bool { LeftOut, Written };

/// The record as one line of JSON, `\n` included: valid whatever the strings hold. Bytes that
/// are not UTF-8 become U+FFFD, each string is cut at 4 KiB (a command at 256 bytes) and then
/// ends in "…". No `{"schema":` inside but at its beginning: that is where a reader
/// finds its way back behind a torn line. Throws std::bad_alloc.
[[nodiscard]] std::string to_line(const Record& record, Context context = Context::Written);

/// Reads lines into records. For many lines use one reader and one record: both keep their
/// memory, so that a line costs about a microsecond. Not for several threads at once.
class LineReader {
 public:
  /// Reads one line as data, with or without `\n`, over whatever is in `record`. False, and
  /// `record` is anything, when the line is not a JSON object with a schema and a run id, is
  /// longer than kLongestLine or nested too deep. Unknown fields are ignored, a field of a wrong
  /// type keeps its default; of a field that is there twice the last counts. Never throws.
  [[nodiscard]] bool read(std::string_view line, Record& record) noexcept;

 private:
  std::string text_;  ///< The line; texts are unescaped in it.
};

/// One line as LineReader reads it.
[[nodiscard]] std::optional<Record> parse(std::string_view line) noexcept;

}  // namespace onelane::journal
