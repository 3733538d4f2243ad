#include "multicall/view/newest_logs.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "core/journal/journal.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/context/orphan_rules.hpp"

namespace onelane::multicall {
namespace {

constexpr std::string_view kLogEnding = ".log";

/// From so many names on, it takes longer to list them than to look for some.
constexpr std::size_t kManyNames = 2'000;
/// So many records are looked at for their logs, most of which have none.
constexpr std::size_t kMostRecords = 5'000;
/// How long after the end of its run a log may still be written: by the guardian.
constexpr std::int64_t kWrittenAfterMs = 3'600'000;

/// A log, by when it was written, in nanoseconds.
using Dated = std::pair<std::int64_t, std::string>;

std::optional<Dated> dated(int directory_fd, std::string_view run_id) {
  const std::string name = std::string{run_id} + std::string{kLogEnding};
  struct stat info {};
  if (::fstatat(directory_fd, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISREG(info.st_mode)) {
    return std::nullopt;
  }
  return Dated{info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec, run_id};
}

/// The logs among the names in a directory; nothing when there are more than `most_names`.
std::optional<std::vector<Dated>> listed(const sys::FileDescriptor& directory,
                                         std::size_t most_names) {
  // A description of its own: the position in the directory is a part of it.
  sys::FileDescriptor own{::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  const std::unique_ptr<DIR, int (*)(DIR*)> stream{own.is_open() ? ::fdopendir(own.get()) : nullptr,
                                                   ::closedir};
  std::vector<Dated> logs;
  if (!stream) {
    return logs;
  }
  (void)own.release();           // the stream's now
  std::vector<std::string> ids;  // dated later: most of the time goes there
  std::size_t names = 0;
  for (const dirent* entry = ::readdir(stream.get()); entry != nullptr;
       entry = ::readdir(stream.get())) {
    if (++names > most_names) {
      return std::nullopt;
    }
    std::string_view name{entry->d_name};
    if (name.ends_with(kLogEnding)) {
      name.remove_suffix(kLogEnding.size());
      ids.emplace_back(name);
    }
  }
  for (const std::string& id : ids) {
    if (auto log = journal::is_run_id(id) ? dated(directory.get(), id) : std::nullopt) {
      logs.push_back(std::move(*log));
    }
  }
  return logs;
}

std::vector<std::string> newest_of(std::vector<Dated> logs, std::size_t most) {
  std::ranges::sort(logs, std::ranges::greater{});
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < std::min(most, logs.size()); ++i) {
    ids.push_back(std::move(logs[i].second));
  }
  return ids;
}

/// Looks for the logs of known runs, from the newest on.
class LogSearch {
 public:
  LogSearch(int directory_fd, std::size_t most) : directory_fd_{directory_fd}, most_{most} {}

  void look_for(std::string_view run_id) {
    if (!journal::is_run_id(run_id) || !seen_.insert(std::string{run_id}).second) {
      return;
    }
    if (auto log = dated(directory_fd_, run_id)) {
      logs_.push_back(std::move(*log));
    }
  }

  /// False when no older record can have a log that is among the newest.
  bool look_for(const journal::Record& record) {
    look_for(record.id);
    const std::int64_t end_ms =
        std::max({record.queued_wall_ms, record.started_wall_ms, record.ended_wall_ms});
    return !is_enough() || end_ms + kWrittenAfterMs >= bound() / 1'000'000;
  }

  [[nodiscard]] bool is_enough() const noexcept { return logs_.size() >= most_; }
  std::vector<Dated> take() { return std::move(logs_); }

 private:
  /// When the last of the newest logs was written.
  std::int64_t bound() {
    const auto last = logs_.begin() + static_cast<std::ptrdiff_t>(most_ - 1);
    std::ranges::nth_element(logs_, last, std::ranges::greater{});
    return last->first;
  }

  int directory_fd_;
  std::size_t most_;
  std::unordered_set<std::string> seen_;
  std::vector<Dated> logs_;
};

/// The newest logs by what lanes and journal know; nothing when these do not know enough.
std::optional<std::vector<Dated>> recorded(const LanesHere& lanes, int directory_fd,
                                           std::size_t most) {
  LogSearch search{directory_fd, most};
  for (const std::string& id : live_runs_of(lanes)) {
    search.look_for(id);
  }
  for (const lane::Table& table : lanes.tables) {
    search.look_for(lane::view(table.last_run().run_id));  // its record may be about to come
  }
  std::size_t records = 0;
  journal::LineReader reader;
  journal::Record record;
  journal::for_each(lanes.project.state_dir, journal::Order::NewestFirst,
                    [&](std::string_view line) {
                      const bool wants_more = !reader.read(line, record) || search.look_for(record);
                      return wants_more && ++records < kMostRecords;
                    });
  return search.is_enough() ? std::optional{search.take()} : std::nullopt;
}

std::vector<Dated> all_logs(const sys::FileDescriptor& directory) {
  return listed(directory, std::numeric_limits<std::size_t>::max()).value_or(std::vector<Dated>{});
}

sys::FileDescriptor open_logs(const std::string& directory) {
  return sys::try_open_file(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

}  // namespace

std::vector<std::string> newest_logs(const std::string& directory, std::size_t most) {
  const auto fd = open_logs(directory);
  return fd.is_open() ? newest_of(all_logs(fd), most) : std::vector<std::string>{};
}

std::vector<std::string> newest_logs(const LanesHere& lanes, std::size_t most) {
  const std::string directory = log_directory(lanes.project, lanes.settings);
  // Elsewhere, other projects may keep theirs as well.
  const bool is_ours = directory.starts_with(lanes.project.state_dir + "/");
  const auto fd = is_ours && most > 0 ? open_logs(directory) : sys::FileDescriptor{};
  if (!fd.is_open()) {
    return newest_logs(directory, most);
  }
  auto logs = listed(fd, kManyNames);
  if (!logs) {
    logs = recorded(lanes, fd.get(), most);
  }
  return newest_of(logs ? std::move(*logs) : all_logs(fd), most);
}

}  // namespace onelane::multicall
