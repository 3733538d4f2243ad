#include "core/journal/run_log.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <utility>

#include "core/journal/log_directory.hpp"
#include "core/journal/quiet_write.hpp"
#include "core/journal/record.hpp"
#include "core/sys/error.hpp"
#include "core/sys/text.hpp"

// Without spdlog/spdlog.h: its registry would bring a console logger and global state.
#define SPDLOG_LEVEL_NAMES \
  { "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "CRITICAL", "OFF" }
#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

namespace onelane::journal {
namespace {

constexpr off_t kLargestFile = off_t{8} << 20;
constexpr std::size_t kLongestText = std::size_t{16} << 10;

spdlog::level::level_enum level_of(Level level) noexcept {
  switch (level) {
    case Level::Debug:
      return spdlog::level::debug;
    case Level::Warning:
      return spdlog::level::warn;
    case Level::Error:
      return spdlog::level::err;
    case Level::Info:
      break;
  }
  return spdlog::level::info;
}

/// spdlog's own file sinks go through fopen(3): they follow links, leave the mode to the umask,
/// take low descriptors, which the launcher closes as foreign, and sleep between tries.
class FileSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  FileSink(sys::FileDescriptor directory, std::string name)
      : base_sink{std::make_unique<spdlog::pattern_formatter>(
            "%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc, "\n")},
        directory_{std::move(directory)},
        name_{std::move(name)} {
    open();
  }

 private:
  void open() {
    file_ = open_log_file(directory_.get(), name_);
    struct stat info {};
    size_ = ::fstat(file_.get(), &info) == 0 ? info.st_size : 0;
  }
  void put_aside() {
    const std::string aside = name_ + ".1";
    if (::renameat(directory_.get(), name_.c_str(), directory_.get(), aside.c_str()) != 0) {
      sys::throw_errno("rename", name_);
    }
    open();
  }
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    const auto length = static_cast<off_t>(line.size());
    if (size_ + length > kLargestFile) {
      put_aside();
    }
    if (!write_quietly(file_.get(), {line.data(), line.size()})) {
      sys::throw_errno("write", name_);
    }
    size_ += length;
  }
  void flush_() override {}

  sys::FileDescriptor directory_;
  std::string name_;
  sys::FileDescriptor file_;
  off_t size_ = 0;
};

}  // namespace

struct RunLog::Logger {
  spdlog::logger log;
};

RunLog::RunLog(std::string directory, std::string run_id, Retention retention)
    : directory_{std::move(directory)},
      run_id_{std::move(run_id)},
      retention_{retention},
      is_silent_{!is_run_id(run_id_)} {}

RunLog::~RunLog() = default;

void RunLog::open() {
  auto directory = open_log_directory(directory_);
  auto sink = std::make_shared<FileSink>(std::move(directory), run_id_ + ".log");
  auto logger = std::make_unique<Logger>(Logger{spdlog::logger{run_id_, std::move(sink)}});
  logger->log.set_level(spdlog::level::trace);
  // The default one prints to standard error, which is the tool's.
  logger->log.set_error_handler([this](const std::string&) { is_silent_ = true; });
  logger_ = std::move(logger);
  (void)sweep(directory_, retention_);
}

void RunLog::write(Level level, std::string_view text) noexcept {
  if (is_silent_) {
    return;
  }
  try {
    if (!logger_) {
      open();
    }
    std::string line;
    sys::append_printable(line, text, kLongestText);
    logger_->log.log(level_of(level), spdlog::string_view_t{line.data(), line.size()});
  } catch (const std::exception&) {
    is_silent_ = true;
  }
}

}  // namespace onelane::journal
