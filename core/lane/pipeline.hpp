#pragma once

#include <optional>

#include "core/lane/table.hpp"

namespace onelane::lane {

/// When a waiting ticket checks whether it waits for its own pipeline.
enum class PipelineLook {
  Near,    ///< As AtOnce, without what may lie between the two: where many wait.
  AtOnce,  ///< The wait has just begun, or the lane has changed hands.
  Later,   ///< A second after that, or more where many wait.
};

/// The run that holds the lane, if the calling process is part of its pipeline or of that of a run
/// beside it: then each may wait for bytes, or for a reader, that only the other can provide, and
/// they count as one turn. Two of them are parts of one pipeline when
///
/// - bytes can flow between the caller's side and the holder's (sys::Flow). A side is the call, or
///   the holder's tree, and the ancestors that it does not share with the other side. Anything
///   below the first common ancestor may lie between them (`tee`, a shell's loop). The common
///   ancestor itself, an agent or an editor that talks to both, does not connect them. A side whose
///   line of ancestors leads out of its session has lost a parent, and counts without its
///   ancestors. Pid 1 of a container is in the session of all: there the ancestors of the other
///   side count by the streams that they were started with (sys::Flow::Role::Started);
/// - or the holder reads its work from standard input (Detail::reads_input), and the caller or a
///   process above it, common ancestors included, writes that input;
/// - or, on a later look, the call reads its work from standard input (`reads_input`), and the
///   holder or a process above it still has the writing end open: a writer that had finished would
///   have closed it.
///
/// nullopt when the holder is next but may not start because the lane is on hold, is in another PID
/// namespace, cannot be inspected, or is the caller itself. Reads /proc for the two sides, and for
/// the processes between only when both sides have an open end: some 50 us for each process below
/// the common ancestor, so only for a call that waits. Throws SystemError when the table cannot be
/// read.
[[nodiscard]] std::optional<Entry> find_pipeline(const Table& table, bool reads_input,
                                                 PipelineLook look);

}  // namespace onelane::lane
