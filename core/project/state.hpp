#pragma once

#include "core/project/project.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::project {

/// Opens the project's state directory; the caller owns the descriptor.
///
/// Makes the missing directories of it, and nothing else: `<git dir>/onelane`, or `.onelane/state`
/// below the root. Never makes the git directory or root itself; when that is gone the error is
/// ENOENT. New directories get the owner, group and mode of the git directory or root, without
/// write permission for others; with core.sharedRepository, the permissions that it asks for.
/// Symbolic links are not followed.
///
/// Throws SystemError naming the path: ENOENT, EACCES, EROFS …, and EPERM when the directory
/// belongs to neither us, nor root, nor the owner of its parent, or when all users can write to it.
/// Call it for adopted projects only: it adopts the project.
[[nodiscard]] sys::FileDescriptor open_state(const Project& project);

/// Permissions of a new file in an open state directory: 0600, or 0660 when the group may write
/// there. Never read permission alone: a read lock would block the lane.
[[nodiscard]] unsigned file_mode(int state_dir) noexcept;

}  // namespace onelane::project
