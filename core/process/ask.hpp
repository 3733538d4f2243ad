#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace onelane::process {

/// Longest time that one program may keep the doctor waiting.
inline constexpr std::chrono::milliseconds kPatience{2'000};

/// A program to run and how to run it.
struct Question {
  std::vector<std::string> argv;  ///< argv[0] an absolute path.
  std::string directory;          ///< Where it runs.
  /// Variables that differ from ours; nullopt removes one.
  std::vector<std::pair<std::string, std::optional<std::string>>> environment;
  std::chrono::milliseconds limit = kPatience;
  std::size_t longest = std::size_t{256} << 10U;  ///< Bytes of its output that are kept.
};

struct Answer {
  enum class End { Exited, Signalled, TimedOut, NotStarted };
  End end = End::NotStarted;
  int code = 0;     ///< With Exited.
  std::string out;  ///< What it wrote to standard output, at most Question::longest.

  [[nodiscard]] bool succeeded() const noexcept { return end == End::Exited && code == 0; }
};

/// Runs the program in a session of its own, with standard input and error on /dev/null, until it
/// ends or the limit is over; then kills its process group. Blocks no longer than that. Does not
/// wait for processes that the program leaves in the background. Throws SystemError when nothing
/// can be started.
[[nodiscard]] Answer ask(const Question& question);

}  // namespace onelane::process
