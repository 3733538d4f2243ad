#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/journal/record.hpp"
#include "multicall/view/log_text.hpp"

namespace onelane::multicall::monitor {

/// Gives each new record of a journal once, across rotations. What was there when it was made
/// is old. Reads only when asked to.
class JournalTail {
 public:
  explicit JournalTail(std::string directory);
  /// Oldest first. Blocks for the file alone.
  [[nodiscard]] std::vector<journal::Record> read();

 private:
  std::string directory_;
  std::string last_;  ///< The newest line read; empty for none.
};

/// Gives the new warnings in the logs of runs, lines as `onelane logs` shows them.
class LogTails {
 public:
  explicit LogTails(std::string directory) : directory_{std::move(directory)} {}
  /// What the log of `run` holds by now is old.
  void skip(const std::string& run) { (void)tail_of(run).next(); }
  /// The texts behind time and level, oldest first; never blocks.
  [[nodiscard]] std::vector<std::string> read(const std::string& run);
  void forget(const std::string& run) { tails_.erase(run); }

 private:
  LogTail& tail_of(const std::string& run) {
    return tails_.try_emplace(run, directory_, run).first->second;
  }

  std::string directory_;
  std::map<std::string, LogTail> tails_;
};

}  // namespace onelane::multicall::monitor
