#pragma once

#include "core/project/project.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::project {

/// Opens the state directory, making it if need be: `onelane` in the git directory of the
/// work tree, or `.onelane/state` in a root without git. It gets owner, group and mode of
/// the directory above it (a root user's call must not lock the others out), group-writable
/// where git's core.sharedRepository says so. The git directory itself is never made: when
/// it is gone this throws SystemError with ENOENT. A directory that a stranger owns or that
/// everybody may write to is refused with EPERM.
[[nodiscard]] sys::FileDescriptor open_state(const Project& project);

/// Mode of the files in it: 0600, or 0660 / 0666 as the directory is shared.
[[nodiscard]] unsigned file_mode(const Project& project);

}  // namespace onelane::project
