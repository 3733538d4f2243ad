#pragma once

#include "core/journal/record.hpp"

namespace onelane::journal {

/// Every field of a record but schema, id and card, with its name in the line, in the line's
/// order: the writer and the reader cannot disagree. `Visit` is called as visit(name, field).
template <class Fields, class Visit>
void visit_fields(Fields& record, Visit& visit) {
  visit("project", record.project);
  visit("lane", record.lane);
  visit("tool", record.tool);
  visit("argv", record.argv);
  visit("cwd", record.cwd);
  visit("branch", record.branch);
  visit("label", record.label);
  visit("class", record.cls);
  visit("user", record.user);
  visit("uid", record.uid);
  visit("tty", record.tty);
  visit("agent", record.agent);
  visit("queued_wall_ms", record.queued_wall_ms);
  visit("waited_ms", record.waited_ms);
  visit("started_wall_ms", record.started_wall_ms);
  visit("ended_wall_ms", record.ended_wall_ms);
  visit("duration_ms", record.duration_ms);
  visit("released_ms", record.released_ms);
  visit("code", record.code);
  visit("signal", record.signal);
  visit("reason", record.reason);
  visit("peak_tree_kb", record.peak_tree_kb);
  visit("peak_process_kb", record.peak_process_kb);
  visit("peak_processes", record.peak_processes);
  visit("cpu_ms", record.cpu_ms);
  visit("read_bytes", record.read_bytes);
  visit("written_bytes", record.written_bytes);
  visit("context", record.context);
  visit("kept", record.kept);
  visit("ended_leftovers", record.ended_leftovers);
  visit("survivors", record.survivors);
  visit("empty", record.empty);
  visit("fence", record.fence);
  visit("warnings", record.warnings);
  visit("orphans_ended", record.orphans_ended);
  visit("attempt", record.attempt);
  visit("parts", record.parts);
  visit("batch", record.batch);
  visit("jobs", record.jobs);
  visit("joined", record.joined);
  visit("pipeline_of", record.pipeline_of);
  visit("same", record.same);
  visit("same_boot_ns", record.same_boot_ns);
}

/// How every line begins, and nothing inside a line.
inline constexpr std::string_view kLineStart = R"({"schema":)";

/// Levels of objects and arrays that a reader puts up with: a card is flat, and what is deeper
/// is hostile.
inline constexpr int kDeepest = 32;

/// Behind the first object or array in JSON text, by its brackets; npos where there is none, it
/// does not end, or nests deeper than that. No recursion.
[[nodiscard]] std::size_t end_of_nested(std::string_view text, int deepest) noexcept;

}  // namespace onelane::journal
