#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/journal/record.hpp"
#include "core/process/signals.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/job/coalesce/keeper.hpp"

namespace onelane::multicall::coalesce {

/// A result that a call takes over: how a run ended, and its complete output.
struct Taken {
  journal::Record record;
  sys::FileDescriptor output;  ///< Open for reading; none if nothing was written.
  std::vector<Part> parts;
};

/// The newest run in the journal of `state_dir` with this call key and user, if it began after
/// `queued` (sys::boot_time()) and its result may be taken. Reads back at most five hundred runs,
/// and not beyond `queued_wall_ms`.
[[nodiscard]] std::optional<journal::Record> newest_result(const std::string& state_dir,
                                                           std::uint64_t call_key,
                                                           std::chrono::nanoseconds queued,
                                                           std::int64_t queued_wall_ms);

/// The result of that run, with its output from the log directory; nothing if the output is not
/// complete, or if another user may have written it.
[[nodiscard]] std::optional<Taken> open_result(journal::Record record,
                                               const std::string& log_directory);

/// Writes the output to our own streams, in its original order, and ends this process as the run
/// ended. Blocks for the reader and dies of an ending signal; if the reader has gone, the rest of
/// the stream is skipped.
[[noreturn]] void replay(const Taken& taken, const process::Signals& signals) noexcept;

/// True if the result comes from the call alone: an exit code or a crash, and no signal or order
/// from outside.
[[nodiscard]] bool may_be_taken(const journal::Record& record, int ending_signal) noexcept;

}  // namespace onelane::multicall::coalesce
