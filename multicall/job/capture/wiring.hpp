#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>

#include "core/journal/record.hpp"
#include "core/settings/ready.hpp"

namespace onelane::multicall::capture {

/// How a run is joined to the process that keeps its output, and to who waits for a line of it.
struct Wiring {
  /// When the run gives its lane back and goes on as a service; nothing: at its end.
  std::optional<settings::Ready> ready;
  int ready_fd = -1;  ///< An eventfd(2) that tells of the line `ready` waits for; borrowed.
  std::array<int, 2> output{-1, -1};  ///< The tool's descriptors 1 and 2; -1: the caller's.
  /// Told the run's id as soon as it has a place; may be empty.
  std::function<void(const std::string& run_id)> queued;
  /// Told the record of each attempt once it has ended, with id "-" where there is none; what
  /// has been written by then may be waited for. May be empty.
  std::function<void(const journal::Record& record)> report;
};

}  // namespace onelane::multicall::capture
