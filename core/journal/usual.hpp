#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/journal/record.hpp"

namespace onelane::journal {

/// What makes two commands the same kind of work: the tool and the first two words after it.
/// `command` is the arguments joined by a blank, as a ticket shows them.
[[nodiscard]] std::string_view kind_of(std::string_view command) noexcept;
/// That of a run's command, or of its tool where the record has no command.
[[nodiscard]] std::string kind_of(const Record& run);

/// How long runs of a kind usually take, from the journal of one state directory. The newest
/// records are read at the first question, as many as it needs, and at most once more, at a
/// question about a kind that was rare among them: two milliseconds at most.
class Usual {
 public:
  static constexpr std::size_t kFewest = 3;    ///< Runs that make a habit.
  static constexpr std::size_t kEnough = 25;   ///< Runs of a kind that are looked at.
  static constexpr std::size_t kMost = 2'000;  ///< Records that are read.

  explicit Usual(std::string directory) : directory_{std::move(directory)} {}

  /// Median time for which the runs of this kind had the lane, of those that ended by themselves or
  /// gave it back before their end; nothing under kFewest.
  /// Blocks for reading the journal; never throws what is not std::bad_alloc.
  [[nodiscard]] std::optional<std::chrono::milliseconds> duration_of(std::string_view command);

 private:
  /// Reads until `kind` has kEnough; nothing: kMost records.
  void read(std::optional<std::string_view> kind);

  std::string directory_;
  bool was_read_ = false;
  bool is_complete_ = false;
  std::map<std::string, std::vector<std::int64_t>, std::less<>> durations_;  ///< By kind.
};

}  // namespace onelane::journal
