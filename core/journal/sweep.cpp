#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "core/journal/record.hpp"
#include "core/journal/run_log.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::journal {
namespace {

constexpr std::size_t kMostNames = 10'000;

struct Log {
  std::string name;
  std::time_t changed = 0;
  std::uint64_t size = 0;
};

/// `<run id>.log` or `<run id>.log.N`, the same with `.out`; `<run id>.parts`.
bool is_log_name(std::string_view name) noexcept {
  if (!is_run_id(name.substr(0, sys::kRunIdLength))) {
    return false;
  }
  const std::string_view rest = name.substr(sys::kRunIdLength);
  if (rest == ".parts") {
    return true;
  }
  const bool is_ours = rest.starts_with(".log") || rest.starts_with(".out");
  return is_ours && (rest.size() == 4 ||
                     (rest.size() == 6 && rest[4] == '.' && rest[5] >= '1' && rest[5] <= '9'));
}

std::vector<Log> logs_in(DIR& directory) {
  std::vector<Log> logs;
  for (std::size_t i = 0; i < kMostNames; ++i) {
    const dirent* const entry = ::readdir(&directory);
    if (entry == nullptr) {
      break;
    }
    struct stat info {};
    if (is_log_name(entry->d_name) &&
        ::fstatat(::dirfd(&directory), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(info.st_mode)) {
      logs.push_back({entry->d_name, info.st_mtime, static_cast<std::uint64_t>(info.st_size)});
    }
  }
  return logs;
}

std::size_t sweep_logs(DIR& directory, const Retention& retention) {
  std::vector<Log> logs = logs_in(directory);
  std::ranges::sort(logs, std::ranges::greater{}, &Log::changed);
  const std::time_t oldest =
      std::time(nullptr) - static_cast<std::time_t>(std::chrono::seconds{retention.age}.count());
  std::uint64_t sum = 0;
  std::size_t deleted = 0;
  for (std::size_t i = 0; i < logs.size(); ++i) {
    sum += logs[i].size;
    if (i < retention.newest || (logs[i].changed >= oldest && sum <= retention.bytes)) {
      continue;
    }
    if (::unlinkat(::dirfd(&directory), logs[i].name.c_str(), 0) == 0) {
      ++deleted;
    }
  }
  return deleted;
}

}  // namespace

std::size_t sweep(const std::string& directory, const Retention& retention) noexcept try {
  sys::FileDescriptor fd =
      sys::try_open_file(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream{fd.is_open() ? ::fdopendir(fd.get()) : nullptr,
                                                   ::closedir};
  if (!stream) {
    return 0;
  }
  (void)fd.release();  // the stream's now
  return sweep_logs(*stream, retention);
} catch (const std::exception&) {
  return 0;  // out of memory
}

}  // namespace onelane::journal
