#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "core/journal/files.hpp"
#include "core/journal/journal.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::journal {
namespace {

using Visit = std::function<bool(std::string_view)>;

constexpr off_t kChunk = off_t{256} << 10;
constexpr off_t kFirstChunk = off_t{16} << 10;  // most who read backward want a few records

/// The records in one physical line: one, or more behind a torn one.
bool visit_records(std::string_view line, Order order, const Visit& visit) {
  const auto is_record = [](std::string_view piece) {
    return piece.ends_with('}') && piece.size() <= kLongestLine;
  };
  const auto first = line.find(kLineStart);
  if (first == std::string_view::npos) {
    return true;
  }
  if (line.find(kLineStart, first + 1) == std::string_view::npos) {
    const std::string_view piece = line.substr(first);
    return !is_record(piece) || visit(piece);
  }
  std::vector<std::string_view> pieces;
  for (auto at = first; at != std::string_view::npos;) {
    const auto next = line.find(kLineStart, at + 1);
    const std::string_view piece = line.substr(at, next - at);
    if (is_record(piece)) {
      pieces.push_back(piece);
    }
    at = next;
  }
  if (order == Order::NewestFirst) {
    std::ranges::reverse(pieces);
  }
  return std::ranges::all_of(pieces, visit);
}

/// Lines longer than this are no records, nor can they hold many: their bytes are dropped.
bool is_endless(const std::string& carry) {
  return carry.size() > 2 * kLongestLine;
}

/// From `from` on, which is the beginning of a line or somewhere in one to be left out.
bool visit_forward(const File& file, off_t from, const Visit& visit) {
  std::string carry;  // the beginning of a line that ends in a later chunk
  std::string chunk;
  bool is_within_line = from > 0;
  for (off_t at = from; at < file.size;) {
    read_range(file, at, std::min(file.size, at + kChunk), chunk);
    if (chunk.empty()) {
      break;
    }
    at += static_cast<off_t>(chunk.size());
    std::string_view rest = chunk;
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      std::string_view line = rest.substr(0, end);
      if (!carry.empty()) {
        carry.append(line);
        line = carry;
      }
      rest.remove_prefix(end + 1);
      if (!is_within_line && !visit_records(line, Order::OldestFirst, visit)) {
        return false;
      }
      is_within_line = false;
      carry.clear();
    }
    carry.append(rest);
    if (is_endless(carry)) {
      carry.clear();
    }
  }
  return is_within_line || visit_records(carry, Order::OldestFirst, visit);
}

/// As rfind, which looks at each byte.
std::size_t last_newline(std::string_view text) noexcept {
  const auto* found = static_cast<const char*>(::memrchr(text.data(), '\n', text.size()));
  return found == nullptr ? std::string_view::npos : static_cast<std::size_t>(found - text.data());
}

/// Calls visit(text) for pieces of the file from its end down to `from`. Each consists of whole
/// lines and ends where the one before began.
template <class VisitText>
bool visit_text_backward(const File& file, off_t from, const VisitText& visit) {
  std::string carry;  // the end of a line that begins in an earlier chunk
  std::string chunk;
  off_t length = kFirstChunk;
  for (off_t to = file.size; to > from; length = kChunk) {
    const off_t at = std::max(from, to - length);
    read_range(file, at, to, chunk);
    to = at;
    chunk.append(carry);
    const auto end = chunk.find('\n');
    if (end == std::string::npos) {
      carry = std::move(chunk);
    } else {
      if (!visit(std::string_view{chunk}.substr(end + 1))) {
        return false;
      }
      carry.assign(chunk, 0, end);
    }
    if (is_endless(carry)) {
      carry.clear();
    }
  }
  return from > 0 || visit(std::string_view{carry});
}

bool visit_backward(const File& file, off_t from, const Visit& visit) {
  return visit_text_backward(file, from, [&](std::string_view text) {
    for (auto end = last_newline(text); end != std::string_view::npos; end = last_newline(text)) {
      if (!visit_records(text.substr(end + 1), Order::NewestFirst, visit)) {
        return false;
      }
      text = text.substr(0, end);
    }
    return visit_records(text, Order::NewestFirst, visit);
  });
}

std::size_t find_in(std::string_view text, std::string_view part) noexcept {
  const void* const found = ::memmem(text.data(), text.size(), part.data(), part.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

/// The lines of `text` with `part` in them, in their order.
std::vector<std::string_view> lines_with(std::string_view part, std::string_view text) {
  std::vector<std::string_view> lines;
  for (auto at = find_in(text, part); at != std::string_view::npos; at = find_in(text, part)) {
    const auto begin = last_newline(text.substr(0, at)) + 1;  // npos + 1 is 0
    const auto end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
  return lines;
}

sys::FileDescriptor open_directory(const std::string& directory) {
  return sys::try_open_file(directory.c_str(), O_RDONLY | O_DIRECTORY);
}

/// The latest moment that a record names.
std::int64_t latest_in(const Record& record) noexcept {
  return std::max({record.queued_wall_ms, record.started_wall_ms, record.ended_wall_ms});
}

/// Looks for the place in a file behind which the records of a time are.
class TimeSearch {
 public:
  explicit TimeSearch(std::int64_t since_wall_ms) : bound_{since_wall_ms - kClockMargin.count()} {}

  /// True when its last records are older: then all of it is.
  bool is_older(const File& file) {
    const auto newest = newest_in(file, std::max(off_t{0}, file.size - kWindow), file.size);
    return newest && *newest < bound_;
  }

  /// Bisects. Whatever cannot be judged is taken for newer.
  off_t start_in(const File& file) {
    off_t older = 0;
    for (off_t newer = file.size; newer - older > kChunk;) {
      const off_t middle = older + (newer - older) / 2;
      const auto newest = newest_in(file, middle, middle + kWindow);
      if (newest && *newest < bound_) {
        older = middle;
      } else {
        newer = middle;
      }
    }
    return older;
  }

 private:
  static constexpr off_t kWindow = off_t{32} << 10;  ///< Some fifty usual records.

  /// The latest moment in the whole records of [from, to).
  std::optional<std::int64_t> newest_in(const File& file, off_t from, off_t to) {
    std::optional<std::int64_t> newest;
    read_range(file, from, std::min(to, file.size), text_);
    std::string_view rest = text_;
    rest.remove_prefix(from == 0 ? 0 : std::min(rest.find('\n'), rest.size()));
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      (void)visit_records(rest.substr(0, end), Order::OldestFirst, [&](std::string_view line) {
        if (reader_.read(line, record_)) {
          newest = std::max(newest.value_or(0), latest_in(record_));
        }
        return true;
      });
      rest.remove_prefix(end + 1);
    }
    return newest;
  }

  const std::int64_t bound_;
  std::string text_;
  LineReader reader_;
  Record record_;
};

}  // namespace

void for_each(int directory_fd, Order order, const Visit& line) {
  std::vector<File> files = open_files(directory_fd);
  if (order == Order::OldestFirst) {
    std::ranges::reverse(files);
  }
  for (const File& file : files) {
    const bool wants_more =
        order == Order::OldestFirst ? visit_forward(file, 0, line) : visit_backward(file, 0, line);
    if (!wants_more) {
      return;
    }
  }
}

void for_each(const std::string& directory, Order order, const Visit& line) {
  if (const auto fd = open_directory(directory); fd.is_open()) {
    for_each(fd.get(), order, line);
  }
}

void for_each_since(const std::string& directory, std::int64_t since_wall_ms, Order order,
                    const Visit& line) {
  const auto fd = open_directory(directory);
  if (!fd.is_open()) {
    return;
  }
  std::vector<File> files = open_files(fd.get());
  std::vector<off_t> starts(files.size());
  if (since_wall_ms > 0) {
    TimeSearch search{since_wall_ms};
    std::erase_if(files, [&](const File& file) { return search.is_older(file); });
    std::ranges::transform(files, starts.begin(),
                           [&](const File& file) { return search.start_in(file); });
  }
  const bool is_forward = order == Order::OldestFirst;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::size_t at = is_forward ? files.size() - 1 - i : i;
    if (!(is_forward ? visit_forward(files[at], starts[at], line)
                     : visit_backward(files[at], starts[at], line))) {
      return;
    }
  }
}

void for_each_with(const std::string& directory, std::string_view part, const Visit& line) {
  const auto fd = open_directory(directory);
  if (!fd.is_open()) {
    return;
  }
  const auto visit_text = [&](std::string_view text) {
    const std::vector<std::string_view> lines = lines_with(part, text);
    return std::all_of(lines.rbegin(), lines.rend(), [&](std::string_view physical) {
      return visit_records(physical, Order::NewestFirst, [&](std::string_view record) {
        return find_in(record, part) == std::string_view::npos || line(record);
      });
    });
  };
  for (const File& file : open_files(fd.get())) {
    if (!visit_text_backward(file, 0, visit_text)) {
      return;
    }
  }
}

off_t bytes_in(const std::string& directory) {
  off_t bytes = 0;
  const auto fd = open_directory(directory);
  for (const File& file : fd.is_open() ? open_files(fd.get()) : std::vector<File>{}) {
    bytes += file.size;
  }
  return bytes;
}

std::optional<Unreadable> unreadable(const std::string& directory) {
  const auto is_there = [] { return errno != ENOENT && errno != ENOTDIR; };
  const auto fd = open_directory(directory);
  if (!fd.is_open()) {
    return is_there() ? std::optional{Unreadable{directory, errno}} : std::nullopt;
  }
  for (unsigned number = 0; number <= kMostRotated; ++number) {
    if (!open_one(fd.get(), number).fd.is_open() && is_there()) {
      return Unreadable{directory + "/" + file_name(number).data(), errno};
    }
  }
  return std::nullopt;
}

std::optional<Record> find(const std::string& directory, std::string_view id) {
  std::optional<Record> found;
  if (!is_run_id(id)) {
    return found;
  }
  const std::string wanted = "\"id\":\"" + std::string{id} + '"';
  for_each_with(directory, wanted, [&](std::string_view line) {
    // The id is the second field; a look at the head spares parsing all the others.
    if (line.substr(0, 64).find(wanted) != std::string_view::npos) {
      found = parse(line);
      if (found && found->id != id) {
        found.reset();
      }
    }
    return !found;
  });
  return found;
}

}  // namespace onelane::journal
