#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/journal/record.hpp"

namespace onelane::journal {

/// The journal: `runs.jsonl` in a state directory, one line a run, and what it was before it
/// grew too long: `runs.jsonl.1` (newest) to `runs.jsonl.N`.
///
/// Any number of processes append at once, each line with one write(2) to a file opened with
/// O_APPEND, so lines never mix. A writer that dies in the middle, or finds the disk full,
/// leaves a torn line, where it can with a `\n` of its own. Where it cannot, the next record
/// follows on the same line; readers take each `{"schema":` as the beginning of a record, which
/// no writer lets appear elsewhere.
inline constexpr const char* kJournalName = "runs.jsonl";

/// Files behind the first that a reader looks for; no journal has more.
inline constexpr unsigned kMostRotated = 16;

struct Rotation {
  off_t max_bytes = off_t{8} << 20;  ///< A file that has grown past this is put aside.
  unsigned keep = 4;                 ///< So many put aside, 1 to kMostRotated.
  unsigned mode = 0600;              ///< Of a new file, whatever the umask takes away.
};

/// Appends one record to the journal in `directory_fd`; the hot path of every run: open, write,
/// lseek, close and one sigprocmask (two where SIGXFSZ and SIGPIPE are not blocked).
///
/// A new file belongs to the owner of the directory when we are root. A symbolic link is not
/// followed, a FIFO not waited for. False when the record is lost (ENOSPC, EDQUOT, EROFS,
/// EACCES, EFBIG, ENOMEM …). Never throws, never blocks, raises no signal.
bool append(int directory_fd, const Record& record, const Rotation& rotation) noexcept;

/// Puts the journal aside if the file open (for writing) as `fd` is still the one of that name.
/// `append` calls it; of two processes that do so at once, one rotates. Killed in the middle it
/// loses nothing: a gap in the numbers is filled by the next rotation. Never blocks.
void rotate(int directory_fd, int fd, unsigned keep) noexcept;

enum class Order { OldestFirst, NewestFirst };

/// Calls `line` for each record in `directory`, without `\n`, until it says false. What looks
/// like a record is not yet one: torn and foreign lines are left out as far as their ends
/// show it, `parse` decides. The files are opened before the first call, so a rotation
/// meanwhile neither hides nor repeats a record; none there is an empty journal.
void for_each(const std::string& directory, Order order,
              const std::function<bool(std::string_view line)>& line);
void for_each(int directory_fd, Order order,
              const std::function<bool(std::string_view line)>& line);

/// How far a wall clock may have been set back or forward without a record being missed below.
inline constexpr std::chrono::milliseconds kClockMargin = std::chrono::hours{24};

/// The same from some record on that is older than `since_wall_ms` (0: all): the older ones are
/// passed over unread, mostly. It bisects, since each record is appended at the end of its run:
/// those that were written while the clock was set back by more than kClockMargin may be missed.
void for_each_since(const std::string& directory, std::int64_t since_wall_ms, Order order,
                    const std::function<bool(std::string_view line)>& line);

/// The same, newest first, for the records whose lines contain `part`, without a newline: an order
/// of magnitude faster than a look at each line.
void for_each_with(const std::string& directory, std::string_view part,
                   const std::function<bool(std::string_view line)>& line);

/// How many bytes a look through the whole journal would read.
[[nodiscard]] off_t bytes_in(const std::string& directory);

/// A file that is there and cannot be read: ELOOP for a symbolic link, EISDIR for a directory,
/// EINVAL for anything else that is not a regular file.
struct Unreadable {
  std::string path;
  int error = 0;
};

/// What for_each would pass over in silence; empty when every file can be read or none exists.
[[nodiscard]] std::optional<Unreadable> unreadable(const std::string& directory);

/// The newest record of that run; nothing when there is none or `id` is no run id.
[[nodiscard]] std::optional<Record> find(const std::string& directory, std::string_view id);

}  // namespace onelane::journal
