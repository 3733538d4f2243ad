#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/journal/record.hpp"
#include "core/process/signals.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/job/coalesce/parts.hpp"

namespace onelane::multicall::coalesce {

/// A result that a call takes over: how a run ended, and its output, open and whole.
struct Taken {
  journal::Record record;
  sys::FileDescriptor output;  ///< None where nothing was written.
  std::vector<Part> parts;
};

/// The newest run in the journal of `state_dir` that had this call key and this user, where it
/// began after `queued` (sys::boot_time()) and its result may be taken. Looks no further back than
/// five hundred runs, nor than `queued_wall_ms`.
[[nodiscard]] std::optional<journal::Record> newest_result(const std::string& state_dir,
                                                           std::uint64_t call_key,
                                                           std::chrono::nanoseconds queued,
                                                           std::int64_t queued_wall_ms);

/// Its output, from the log directory; nothing where it is not whole, or not ours alone.
[[nodiscard]] std::optional<Taken> open_result(journal::Record record,
                                               const std::string& log_directory);

/// Writes the output to our own streams, in the order in which it was written there, and ends this
/// process as the run ended. Blocks while nobody reads, but for an ending signal, of which it
/// dies; a reader that has gone is passed over.
[[noreturn]] void replay(const Taken& taken, const process::Signals& signals) noexcept;

/// True when a run that ended so speaks for the call alone: an exit code, or death by a fault of
/// its own, with nobody else's signal near.
[[nodiscard]] bool may_be_taken(const journal::Record& record, int ending_signal) noexcept;

}  // namespace onelane::multicall::coalesce
