#pragma once

#include <string>

#include "core/sys/file_descriptor.hpp"

namespace onelane::multicall {

/// Where a call is made: the project's state directory, and the caller's directory and terminal for
/// ticket and record.
struct LanePlace {
  sys::FileDescriptor state;  ///< The project's state directory, which has the journal.
  unsigned file_mode = 0600;  ///< Mode of new files in it.
  std::string directory;      ///< The caller's working directory.
  std::string terminal;       ///< The caller's terminal; empty for none.
};

}  // namespace onelane::multicall
