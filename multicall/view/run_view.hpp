#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/journal/record.hpp"
#include "core/sys/text.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/view/lane_view.hpp"

namespace onelane::multicall {

enum class RunState {
  Queued,   ///< Waits for the lane.
  Running,  ///< Holds it, or is a service.
  Ok,       ///< Exited with 0.
  Failed,   ///< Exited with something else, or could not be started.
  Killed,   ///< Died of a signal, was ended by onelane, or its supervisor died.
};

/// "queued", "running", "ok", "failed", "killed": stable words.
[[nodiscard]] std::string_view word_of(RunState state) noexcept;

/// One run as shown: from the lane while it lives, then from the journal.
struct RunView {
  journal::Record record;          ///< For a live run, what its ticket says.
  std::string command;             ///< The words joined by blanks: printable, one line.
  std::optional<TicketView> live;  ///< Its ticket.
};

/// A run that has ended.
[[nodiscard]] RunView view_of(journal::Record record);
/// The command of a run as RunView has it.
[[nodiscard]] std::string shown_command(const journal::Record& record);

/// The live runs: first those that run, then those that wait, in the order in which they will
/// start. Throws SystemError when a lane file cannot be read.
[[nodiscard]] std::vector<RunView> live_views(const LanesHere& lanes);

[[nodiscard]] RunState state_of(const RunView& run) noexcept;

/// Its state in a word or two: "ok", "exit 2", "SIGSEGV", "memory", "crashed", "running",
/// "service", "queued" …
[[nodiscard]] std::string outcome_of(const RunView& run);

/// The same as a clause: "died of SIGSEGV", "ended by onelane: memory, exit 137".
[[nodiscard]] std::string ending_of(const journal::Record& record);

/// True for a run whose supervisor and guardian both died, so that its end was not recorded.
[[nodiscard]] bool is_end_unknown(const journal::Record& record) noexcept;

/// How long it took, for people; "?" if its end was not recorded, "joined ID" if it did not run.
[[nodiscard]] std::string took_words(const journal::Record& record);

/// KiB that its processes use now, 0 if they cannot be seen. Reads /proc for each.
[[nodiscard]] std::uint64_t memory_now_kb(const RunView& run);

/// The journal's own fields without `context`, plus `state` and `command`; for a live run what is
/// known, plus `pid`, `lane_state` and `memory_kb`.
[[nodiscard]] nlohmann::json to_json(const RunView& run);

/// The same as text, without a newline. For an ended run no JSON object is built.
[[nodiscard]] std::string json_text_of(const RunView& run);

using sys::printable;

/// The one run that `id` names, in full or by a prefix that no other id has.
struct FoundRun {
  std::optional<RunView> run;
  std::vector<std::string> candidates;  ///< The newest ids with that prefix, if there are several.
};

/// Looks at the live runs and at the whole journal; for a run that has just left its lane, blocks
/// for its record as record_of_ended() does. Throws SystemError when a lane file cannot be read.
[[nodiscard]] FoundRun find_run(const LanesHere& lanes, std::string_view id);

/// As find_run(), but prints one line if there is none.
[[nodiscard]] std::optional<RunView> find_run_or_say(const LanesHere& lanes, std::string_view id);

}  // namespace onelane::multicall
