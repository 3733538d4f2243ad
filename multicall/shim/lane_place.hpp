#pragma once

#include <string>

#include "core/sys/file_descriptor.hpp"

namespace onelane::multicall {

/// Where a call stands: the project's state directory, and what its ticket and its record say of
/// the caller.
struct LanePlace {
  sys::FileDescriptor state;  ///< The project's state directory, where its journal is.
  unsigned file_mode = 0600;  ///< Of files in it.
  std::string directory;      ///< Where the call was made.
  std::string terminal;       ///< Its terminal, empty for none.
};

}  // namespace onelane::multicall
