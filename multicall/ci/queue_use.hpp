#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "multicall/ci/workflows.hpp"

namespace onelane::multicall::ci {

/// What commands do to the queue, in their order.
struct QueueUse {
  int added = 0;          ///< Line of the first one that adds behind the last start; 0: none.
  bool starts = false;    ///< What was in the queue before has been started.
  bool collects = false;  ///< A start in the background runs whatever is added later, too.

  /// These commands, and `next` behind them.
  void then(const QueueUse& next);
};

/// Reads commands, those in scripts, composite actions and Makefiles of the project that they call
/// too, in a run where nothing fails.
class QueueReader {
 public:
  explicit QueueReader(const FileReader& read) : read_{read} {}

  [[nodiscard]] QueueUse use_of(std::string_view script, int line, int depth);

  /// The scripts of a composite action; its lines are none of the caller's.
  [[nodiscard]] QueueUse use_of_action(const std::string& folder, int line);

 private:
  struct Call {
    std::span<const std::string> words;
    int line = 0;
    int depth = 0;
    bool in_background = false;
  };

  QueueUse use_of(const Call& call);
  QueueUse called(const Call& call);
  QueueUse made(const Call& call);
  struct Making;
  QueueUse use_of_target(Making& making, const std::string& target, int depth);

  const FileReader& read_;
  std::set<std::string> seen_;  ///< Scripts and targets we are in: what calls itself ends here.
  std::string folder_;          ///< Where make has gone, from the root, "" or with a slash behind.
};

}  // namespace onelane::multicall::ci
