#pragma once

#include <sys/types.h>

#include <optional>
#include <string_view>
#include <vector>

#include "core/lane/table.hpp"

namespace onelane::lane {

/// A ticket with a living owner: the call itself, its supervisor, or the guardian that clears away
/// after it.
struct LiveTicket {
  Entry entry;
  std::size_t slot = 0;
};

/// Every live ticket of the lane, in any state; a snapshot without the gate. Called with a ticket's
/// own table, it leaves that ticket out: a description's own locks never count.
[[nodiscard]] std::vector<LiveTicket> live_tickets(const Table& table);

/// The live ticket of `run_id`.
[[nodiscard]] std::optional<LiveTicket> find_live(const Table& table, std::string_view run_id);

/// True while a living call of `uid` with this call key waits; our own ticket does not count.
[[nodiscard]] bool waits_with_key(const Table& table, std::uint32_t uid, std::uint64_t call_key);

/// The processes that runs of this boot have recorded as kept and that still live.
[[nodiscard]] std::vector<Kept> living_kept(const Table& table);

/// True for a process that has the lane file open and holds the slot's byte through that
/// description (/proc/PID/fdinfo, proc(5)): the ticket's own call, its supervisor, or the guardian.
/// False when its descriptors may not be read.
[[nodiscard]] bool has_slot(const Table& table, std::size_t slot, pid_t pid);

/// The processes for which has_slot() is true. Reads the descriptors of every process; for rare
/// cases.
[[nodiscard]] std::vector<pid_t> owners_of(const Table& table, std::size_t slot);

}  // namespace onelane::lane
