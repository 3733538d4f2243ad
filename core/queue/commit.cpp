#include "core/queue/commit.hpp"

#include <array>

#include "core/sys/hash.hpp"
#include "core/sys/hex.hpp"

namespace onelane::queue {
namespace {

constexpr char kPromise = 'p';
constexpr char kMark = 'm';
constexpr std::size_t kDigits = 16;
constexpr std::size_t kKindAt = kCommitStart.size();

constexpr std::uint64_t kClosed = 1;
constexpr std::uint64_t kStopping = 2;
constexpr std::uint64_t kStarter = 4;

/// The numbers of a commit in their order in the line; the flags are added to them.
constexpr std::array<std::uint64_t Commit::*, 9> kNumbers{
    &Commit::at,          &Commit::hash,   &Commit::boot,           &Commit::next_id,
    &Commit::entries,     &Commit::queued, &Commit::environment_at, &Commit::environment_size,
    &Commit::environments};
/// "= p", then " " and the digits for each number, the flags and the checksum, then "\n".
constexpr std::size_t kSize = kKindAt + 1 + (kNumbers.size() + 2) * (1 + kDigits) + 1;

void append_number(std::string& line, std::uint64_t number) {
  line.push_back(' ');
  for (int shift = 56; shift >= 0; shift -= 8) {
    sys::append_hex(line, static_cast<unsigned char>(number >> static_cast<unsigned>(shift)));
  }
}

/// The number at `at`, which is moved behind it.
std::optional<std::uint64_t> take_number(std::string_view line, std::size_t& at) {
  std::uint64_t number = 0;
  if (line[at++] != ' ') {
    return std::nullopt;
  }
  for (std::size_t end = at + kDigits; at < end; ++at) {
    const auto digit = sys::hex_digit(line[at]);
    if (!digit) {
      return std::nullopt;
    }
    number = number << 4U | *digit;
  }
  return number;
}

}  // namespace

std::string to_line(const Commit& commit) {
  std::string line{kCommitStart};
  line.reserve(kSize);
  line.push_back(commit.is_promise ? kPromise : kMark);
  for (const auto number : kNumbers) {
    append_number(line, commit.*number);
  }
  append_number(line, (commit.is_closed ? kClosed : 0) | (commit.is_stopping ? kStopping : 0) |
                          (commit.has_starter ? kStarter : 0));
  append_number(line, sys::fnv1a(line));
  line.push_back('\n');
  return line;
}

std::size_t commit_size() {
  return kSize;
}

std::optional<Commit> parse_commit(std::string_view line) {
  if (line.size() != kSize || !line.starts_with(kCommitStart) || line.back() != '\n' ||
      (line[kKindAt] != kPromise && line[kKindAt] != kMark)) {
    return std::nullopt;
  }
  std::size_t at = kSize - 1 - kDigits - 1;
  const std::string_view summed = line.substr(0, at);
  if (take_number(line, at) != sys::fnv1a(summed)) {
    return std::nullopt;
  }
  Commit commit;
  commit.is_promise = line[kKindAt] == kPromise;
  at = kKindAt + 1;
  for (const auto number : kNumbers) {
    commit.*number = take_number(line, at).value_or(0);
  }
  const std::uint64_t flags = take_number(line, at).value_or(0);
  commit.is_closed = (flags & kClosed) != 0;
  commit.is_stopping = (flags & kStopping) != 0;
  commit.has_starter = (flags & kStarter) != 0;
  return commit;
}

}  // namespace onelane::queue
