#pragma once

#include <string_view>

namespace onelane::journal {

/// One write(2) of `bytes` to a regular file that fails without a word: with RLIMIT_FSIZE
/// exceeded (SIGXFSZ, setrlimit(2)) or on a pipe that was put in the file's place (SIGPIPE)
/// the signal is swallowed, whatever its disposition. False when not all was written; a torn
/// line then got its `\n` if there was room for one. Never blocks on a regular file.
bool write_quietly(int fd, std::string_view bytes) noexcept;

}  // namespace onelane::journal
