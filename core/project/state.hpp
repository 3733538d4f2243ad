#pragma once

#include "core/project/project.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::project {

/// Opens the project's state directory; the caller owns the descriptor.
///
/// Makes what is missing of it, and nothing else: `<git dir>/onelane`, or `.onelane/state`
/// below the root. The git directory or root itself is never made; when it is gone the error
/// is ENOENT. New directories get owner, group and mode of the git directory or root, without
/// write permission for all; where core.sharedRepository is set, what that asks for.
/// Symbolic links are not followed.
///
/// Throws SystemError naming the path: ENOENT, EACCES, EROFS …, and EPERM when the directory
/// belongs to neither us, nor root, nor the owner of its parent, or can be written by all.
/// Call it for adopted projects only: it adopts.
[[nodiscard]] sys::FileDescriptor open_state(const Project& project);

/// Permissions of a new file in an open state directory: 0600, 0660 where the group may write
/// there. Read permission alone is never given: a read lock would block the lane.
[[nodiscard]] unsigned file_mode(int state_dir) noexcept;

}  // namespace onelane::project
