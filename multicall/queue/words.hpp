#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/journal/usual.hpp"
#include "core/queue/queue.hpp"

namespace onelane::multicall {

/// "me (pid 12, for 3m12s)".
[[nodiscard]] std::string starter_words(const queue::Starter& starter);

/// " (usually 5m00s; about 12m00s to go)": for a command that begins, and together with the
/// commands `later`. Leaves out what is not known.
[[nodiscard]] std::string forecast_words(journal::Usual& usual, const std::string& command,
                                         const std::vector<std::string>& later);

/// The result of a batch.
struct BatchEnd {
  std::string id;
  std::size_t begun = 0;
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t left = 0;  ///< Never started.
};

/// "queue: 2 passed, 1 failed, 4 not started (batch abc…)".
[[nodiscard]] std::string batch_end_words(const BatchEnd& end);

}  // namespace onelane::multicall
