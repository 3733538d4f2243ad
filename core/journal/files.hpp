#pragma once

#include <sys/types.h>

#include <array>
#include <string>
#include <vector>

#include "core/sys/file_descriptor.hpp"

namespace onelane::journal {

/// The files of a journal, for those that write and read it; internal to this folder.

/// "runs.jsonl" for 0, else "runs.jsonl.NUMBER", NUL-terminated.
using FileName = std::array<char, 24>;
[[nodiscard]] FileName file_name(unsigned number) noexcept;

struct File {
  sys::FileDescriptor fd;
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;  ///< When it was opened; what is appended later is not read.
};

/// The file with this number, open for reading; one that cannot be read has none, and errno says
/// why.
[[nodiscard]] File open_one(int directory_fd, unsigned number);

/// All files of the journal, newest first. A rotation moves a file to a name that is opened
/// later, so it may come twice but not slip through.
[[nodiscard]] std::vector<File> open_files(int directory_fd);

/// pread(2) of the bytes [from, to) into `out`, fewer when the file has become shorter.
void read_range(const File& file, off_t from, off_t to, std::string& out);

}  // namespace onelane::journal
