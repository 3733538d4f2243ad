#pragma once

#include <optional>

#include "core/lane/table.hpp"

namespace onelane::lane {

/// When a ticket that waits looks whether it waits for its own pipeline.
enum class PipelineLook {
  AtOnce,  ///< The wait has just begun, or the lane has changed hands.
  Later,   ///< A second after that.
};

/// The run that holds the lane, if the calling process is a part of its pipeline or of that of a
/// run beside it: then each may wait for bytes, or for a reader, that come with the other one
/// alone, and they are one turn. Two of them are parts of one pipeline when
///
///  - bytes can flow between the caller's side and the holder's (sys::Flow): the call and the
///    holder's tree, and on either side what is above it but not above both. What lies between may
///    be anything below the first process that is above both (`tee`, a shell's loop). That process,
///    an agent or an editor that talks to both, is itself no way from one to the other. A side
///    whose line upwards leads out of its session was cut, since it has lost a parent, and counts
///    without what is above it;
///  - or the holder reads its work from standard input (Detail::reads_input), and the caller or a
///    process above it, be it above both, writes that input;
///  - or, on a later look, the call reads its work from standard input (`reads_input`), and the
///    holder or a process above it still has the writing end: one that had given all of it would
///    have closed it.
///
/// Nothing for one that is next but may not start, as the lane is on hold, for one in another PID
/// namespace, one whose processes we may not look into, and the
/// caller itself. Reads /proc for the two sides, and for what is between only where both have an
/// end of anything: milliseconds on a busy machine, so only for a call that waits. Throws
/// SystemError when the table cannot be read.
[[nodiscard]] std::optional<Entry> find_pipeline(const Table& table, bool reads_input,
                                                 PipelineLook look);

}  // namespace onelane::lane
