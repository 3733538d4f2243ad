#pragma once

#include <string>
#include <string_view>
#include <system_error>

namespace onelane::sys {

/// The one exception of onelane: what was done, to what, and the kernel's answer.
///
/// Thrown only when the caller cannot continue; an expected outcome (would block, not there,
/// already gone) is a value instead. `what()` is the line a user reads: `open /no/such/lane: No
/// such file or directory`.
class SystemError : public std::system_error {
 public:
  /// `action` is a verb ("open"), `object` what it was done to (a path, a pid); may be empty.
  SystemError(int error, std::string_view action, std::string_view object);
};

/// Throws SystemError with the current errno.
[[noreturn]] void throw_errno(std::string_view action, std::string_view object);

}  // namespace onelane::sys
