#include "multicall/job/coalesce/taken.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "core/journal/journal.hpp"
#include "core/journal/run_output.hpp"
#include "multicall/job/coalesce/call_key.hpp"
#include "multicall/shim/pause.hpp"

namespace onelane::multicall::coalesce {
namespace {

constexpr std::size_t kMostLines = 500;
constexpr std::int64_t kClockSlackMs = 5'000;
constexpr std::size_t kLongestParts = std::size_t{8} << 20U;

/// Value of "ended_wall_ms" in a line of the journal; the largest number if it has none.
std::int64_t end_of(std::string_view line) {
  constexpr std::string_view kName = "\"ended_wall_ms\":";
  std::int64_t value = std::numeric_limits<std::int64_t>::max();
  if (const auto at = line.find(kName); at != std::string_view::npos) {
    (void)std::from_chars(line.data() + at + kName.size(), line.data() + line.size(), value);
  }
  return value;
}

/// Opens a file if only this user can have written it. Root's files belong to the directory's
/// owner.
sys::FileDescriptor open_own(const std::string& path, std::uint64_t& size) {
  auto file = sys::try_open_file(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  struct stat info {};
  if (!file.is_open() || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) ||
      (info.st_uid != ::geteuid() && ::geteuid() != 0) ||
      (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return {};
  }
  size = static_cast<std::uint64_t>(info.st_size);
  return file;
}

bool died_of_own_fault(std::int64_t signal) noexcept {
  constexpr std::array<int, 7> kFaults{SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP};
  return std::ranges::find(kFaults, signal) != kFaults.end();
}

/// True if a shell may have made the code from its child's death by a signal from outside.
bool tells_of_signal(std::int64_t code) noexcept {
  constexpr std::array<int, 6> kForeign{SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGPIPE, SIGTERM};
  return std::ranges::find(kForeign, code - 128) != kForeign.end();
}

/// Copies the parts to their streams.
class Replay {
 public:
  Replay(const Taken& taken, const process::Signals& signals) : taken_{taken}, signals_{signals} {}

  void run() noexcept {
    for (const Part& part : taken_.parts) {
      std::uint64_t left = part.size;
      while (left > 0) {
        std::array<char, 65536> chunk;
        const std::uint64_t wanted = std::min<std::uint64_t>(left, chunk.size());
        const long got = sys::read_up_to(taken_.output.get(), chunk.data(), wanted);
        if (got <= 0) {
          return;  // cut short since it was opened
        }
        put({chunk.data(), static_cast<std::size_t>(got)}, part.stream);
        left -= static_cast<std::uint64_t>(got);
      }
    }
  }

 private:
  void put(std::string_view text, int stream) noexcept {
    bool& is_gone = is_gone_[static_cast<std::size_t>(stream) - 1];
    while (!text.empty() && !is_gone) {
      if (const int signal = pause(signals_, std::chrono::milliseconds{0})) {
        process::die_of(signal);
      }
      pollfd polled[2] = {{stream, POLLOUT, 0}, {signals_.fd(), POLLIN, 0}};
      (void)::poll(polled, 2, -1);
      if (polled[0].revents == 0) {
        continue;
      }
      // A pipe that is ready takes this much at once.
      const ssize_t put =
          ::write(stream, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
      if (put > 0) {
        text.remove_prefix(static_cast<std::size_t>(put));
      }
      is_gone = put < 0 && errno != EINTR && errno != EAGAIN;
    }
  }

  const Taken& taken_;
  const process::Signals& signals_;
  std::array<bool, 2> is_gone_{};
};

}  // namespace

std::optional<journal::Record> newest_result(const std::string& state_dir, std::uint64_t call_key,
                                             std::chrono::nanoseconds queued,
                                             std::int64_t queued_wall_ms) {
  const std::string beginning = digits_of(call_key) + ".";
  const std::string wanted = "\"same\":\"" + beginning;
  std::optional<journal::Record> found;
  std::size_t seen = 0;
  journal::for_each(state_dir, journal::Order::NewestFirst, [&](std::string_view line) {
    if (line.find(wanted) != std::string_view::npos) {
      found = journal::parse(line);
    }
    return !found && ++seen < kMostLines && end_of(line) + kClockSlackMs >= queued_wall_ms;
  });
  const bool may_be_ours = found && found->same.starts_with(beginning) &&
                           journal::is_run_id(found->id) && found->uid == ::getuid() &&
                           found->same_boot_ns >= static_cast<std::uint64_t>(queued.count()) &&
                           may_be_taken(*found, 0);
  return may_be_ours ? std::move(found) : std::nullopt;
}

std::optional<Taken> open_result(journal::Record record, const std::string& log_directory) {
  const std::string path = log_directory + "/" + record.id;
  Taken taken;
  std::uint64_t size = 0;
  const auto index = open_own(path + ".parts", size);
  if (!index.is_open() || size > kLongestParts) {
    return std::nullopt;
  }
  std::string text(size, '\0');
  text.resize(static_cast<std::size_t>(
      std::max(0L, sys::read_up_to(index.get(), text.data(), text.size()))));
  auto parts = parse_parts(text);
  std::uint64_t sum = 0;
  for (const Part& part : parts.value_or(std::vector<Part>{})) {
    sum += std::min<std::uint64_t>(part.size, journal::RunOutput::kLargest + 1);
  }
  size = 0;
  if (sum > 0) {
    taken.output = open_own(path + ".out", size);
  }
  if (!parts || size != sum) {
    return std::nullopt;
  }
  taken.parts = std::move(*parts);
  taken.record = std::move(record);
  return taken;
}

void replay(const Taken& taken, const process::Signals& signals) noexcept {
  Replay{taken, signals}.run();
  const auto signal = static_cast<int>(taken.record.signal);
  process::mirror(signal != 0 ? W_EXITCODE(0, signal)
                              : W_EXITCODE(static_cast<int>(taken.record.code.value_or(0)), 0));
}

bool may_be_taken(const journal::Record& record, int ending_signal) noexcept {
  if (ending_signal != 0 || record.ended_leftovers != 0 || !record.survivors.empty()) {
    return false;
  }
  if (record.reason == journal::Reason::Signalled) {
    return died_of_own_fault(record.signal);
  }
  return record.reason == journal::Reason::Exited && record.code && *record.code >= 0 &&
         *record.code <= 255 && !tells_of_signal(*record.code);
}

}  // namespace onelane::multicall::coalesce
