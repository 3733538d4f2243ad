#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/journal/record.hpp"
#include "multicall/view/log_text.hpp"

namespace onelane::multicall::monitor {

/// Gives each new record of a journal once, across rotations. Records that existed at construction
/// are old. Reads only when asked to.
class JournalTail {
 public:
  explicit JournalTail(std::string directory);
  /// The new records, oldest first. Blocks only to read the file.
  [[nodiscard]] std::vector<journal::Record> read();

 private:
  std::string directory_;
  std::string last_;  ///< The newest line read; empty for none.
};

/// Gives the new warnings in the logs of runs, as lines that `onelane logs` shows.
class LogTails {
 public:
  explicit LogTails(std::string directory) : directory_{std::move(directory)} {}
  /// Follows the log of `run`; its present contents are old.
  void skip(const std::string& run) { (void)tail_of(run).next(); }
  /// The texts after time and level, oldest first; never blocks.
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
