#pragma once

#include <sys/types.h>

#include <optional>
#include <string_view>
#include <vector>

#include "core/lane/table.hpp"

namespace onelane::lane {

/// A ticket whose owner lives: the call itself, its supervisor, or the guardian that clears
/// away after it.
struct LiveTicket {
  Entry entry;
  std::size_t slot = 0;
};

/// Every live ticket of the lane, whatever its state; a snapshot without the gate. A table that
/// the owner of a ticket has open itself leaves that ticket out: our own locks never count.
[[nodiscard]] std::vector<LiveTicket> live_tickets(const Table& table);

/// The live ticket of `run_id`.
[[nodiscard]] std::optional<LiveTicket> find_live(const Table& table, std::string_view run_id);

/// True while a living call of `uid` waits with this call key; our own ticket does not count.
[[nodiscard]] bool waits_with_key(const Table& table, std::uint32_t uid, std::uint64_t call_key);

/// What runs of this boot have written down as kept, those that still live.
[[nodiscard]] std::vector<Kept> living_kept(const Table& table);

/// True for a process that has the lane file open with the slot's byte locked by that description
/// (/proc/PID/fdinfo, proc(5)): the ticket's own call, its supervisor, or the guardian. False where
/// we may not look.
[[nodiscard]] bool has_slot(const Table& table, std::size_t slot, pid_t pid);

/// The processes of which has_slot() is true. Reads the descriptors of every process; for the rare
/// case.
[[nodiscard]] std::vector<pid_t> owners_of(const Table& table, std::size_t slot);

}  // namespace onelane::lane
