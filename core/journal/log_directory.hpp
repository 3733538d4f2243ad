#pragma once

#include <string>

#include "core/sys/file_descriptor.hpp"

namespace onelane::journal {

/// Opens the log directory; makes it and missing parents with mode 0700, or as a directory above
/// that its group may write to (a shared repository's); as root with its owner. Throws SystemError;
/// ENOTDIR when it is a symbolic link.
[[nodiscard]] sys::FileDescriptor open_log_directory(const std::string& path);

/// Opens `name` in it for appending; a new file gets mode 0600 whatever the umask and, as root,
/// the directory's owner. Throws SystemError: ELOOP for a symbolic link, EPERM for a file that is
/// not regular, has a second name or belongs to a stranger.
[[nodiscard]] sys::FileDescriptor open_log_file(int directory_fd, const std::string& name);

}  // namespace onelane::journal
