#include "core/journal/run_output.hpp"

#include <stdio.h>
#include <sys/stat.h>

#include <exception>
#include <utility>

#include "core/journal/log_directory.hpp"
#include "core/journal/quiet_write.hpp"
#include "core/journal/record.hpp"

namespace onelane::journal {

RunOutput::RunOutput(std::string directory, const std::string& run_id, const Retention& retention)
    : directory_{std::move(directory)},
      name_{run_id + ".out"},
      retention_{retention},
      is_silent_{!is_run_id(run_id)} {}

void RunOutput::open() {
  if (!directory_fd_.is_open()) {
    directory_fd_ = open_log_directory(directory_);
    (void)sweep(directory_, retention_);
  }
  file_ = open_log_file(directory_fd_.get(), name_);
  struct stat info {};
  size_ = ::fstat(file_.get(), &info) == 0 ? info.st_size : 0;
}

void RunOutput::write(std::string_view bytes) noexcept {
  if (is_silent_) {
    return;
  }
  try {
    if (file_.is_open() && size_ + static_cast<off_t>(bytes.size()) > kLargest) {
      was_put_aside_ = true;
      const std::string aside = name_ + ".1";
      (void)::renameat(directory_fd_.get(), name_.c_str(), directory_fd_.get(), aside.c_str());
      file_.reset();
    }
    if (!file_.is_open()) {
      open();
    }
    is_silent_ = !write_quietly(file_.get(), bytes);
    size_ += static_cast<off_t>(bytes.size());
  } catch (const std::exception&) {
    is_silent_ = true;
  }
}

}  // namespace onelane::journal
