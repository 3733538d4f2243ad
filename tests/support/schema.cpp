#include "tests/support/schema.hpp"

#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <vector>

#include "core/sys/file_descriptor.hpp"
#include "tests/support/running.hpp"

namespace onelane::test {
namespace {

/// A file containing `text`, removed with this object.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& text) {
    const int fd = ::mkstemp(path_);
    if (fd < 0 || !sys::write_all(fd, text)) {
      throw std::runtime_error{"mkstemp"};
    }
    ::close(fd);
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() { ::unlink(path_); }
  [[nodiscard]] std::string path() const { return path_; }

 private:
  char path_[32] = "/tmp/onelane-schema-XXXXXX";
};

}  // namespace

std::string schema_faults(const std::string& text, const std::string& name, Json kind) {
  const ScratchFile file{text};
  const std::string folder = ONELANE_SCHEMAS;
  std::vector<std::string> argv{"/usr/bin/python3", folder + "/check.py", file.path(),
                                folder + "/" + name + ".json"};
  if (kind == Json::Lines) {
    argv.insert(argv.begin() + 2, "--lines");
  }
  Start options;
  options.directory = "/";
  const Ended ended = start_program(argv, {"LC_ALL=C.UTF-8"}, options).wait();
  if (!ended.exited_with(0) && ended.out.empty()) {
    throw std::runtime_error{"check.py: " + ended.err};
  }
  return ended.out;
}

}  // namespace onelane::test
