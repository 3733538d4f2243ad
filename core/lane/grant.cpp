#include <algorithm>
#include <limits>

#include "core/lane/left.hpp"
#include "core/lane/ticket.hpp"
#include "core/sys/process.hpp"

namespace onelane::lane {
namespace {

bool is_alive(const Table& table, std::size_t slot, std::optional<std::size_t> own) {
  return own == slot || table.is_alive(slot);
}

void clear(const Table& table, std::vector<Entry>& entries, std::size_t slot) {
  if (may_rejoin(entries[slot])) {
    Header header = table.header();
    remember(table, header, slot, entries[slot]);
  }
  entries[slot] = Entry{};
  table.write(slot, entries[slot]);
}

/// Counts one more overtaking for each waiting ticket that arrived before the granted one. A ticket
/// that thereby moves to the front may sleep on one that is behind it now, so it is woken.
void count_overtaken(const Table& table, std::vector<Entry>& entries, std::size_t granted) {
  bool has_moved = false;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Entry& entry = entries[i];
    if (entry.state == State::Waiting && entry.sequence < entries[granted].sequence &&
        entry.overtaken < std::numeric_limits<std::uint8_t>::max()) {
      ++entry.overtaken;
      table.write(i, entry);
      has_moved = has_moved || entry.overtaken == kOvertakeCap;
    }
  }
  if (has_moved) {
    table.ring();
  }
}

/// What clearing away after `entry` needs; nullopt when it is from another boot.
std::optional<LastRun> record_of_killed(const Table& table, const Entry& entry, std::size_t slot) {
  const auto detail = table.detail(slot, entry.sequence);
  const bool is_of_this_boot = entry.boot == static_cast<std::uint32_t>(sys::boot_id());
  return detail && is_of_this_boot ? std::optional{open_record_of(table, entry, *detail)}
                                   : std::nullopt;
}

/// Clears a run beside the holder whose supervisor and guardian died while the lane's record was
/// still the holder's.
void clear_beside(const Table& table, std::vector<Entry>& entries, std::size_t slot) {
  if (was_killed(table, table.last_run())) {
    entries[slot] = Entry{};  // not on disk: the next ticket clears both, see take_killed()
    return;
  }
  if (const auto record = record_of_killed(table, entries[slot], slot)) {
    table.write(*record);
  }
  clear(table, entries, slot);
}

}  // namespace

std::optional<LastRun> take_killed(const Table& table) {
  auto entries = table.entries(table.header().high);
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    if (entries[slot].state != State::Beside || table.is_alive(slot)) {
      continue;
    }
    const auto record = record_of_killed(table, entries[slot], slot);
    if (record) {
      table.write(*record);
    }
    clear(table, entries, slot);
    if (record) {
      return record;
    }
  }
  return std::nullopt;
}

LastRun open_record_of(const Table& table, const Entry& entry, const Detail& detail) {
  LastRun record;
  record.open = 1;
  record.run_id = entry.run_id;
  record.boot = entry.boot;
  record.pid_namespace = entry.pid_namespace;
  record.supervisor_pid = entry.pid;
  record.supervisor_start = entry.start;
  record.uid = entry.uid;
  record.context = detail.context;
  record.started_boottime = detail.started_boottime;
  record.ran = entry.run_id;
  record.file = table.id();
  return record;
}

std::optional<std::size_t> living_predecessor_of(const Table& table, std::vector<Entry>& entries,
                                                 std::size_t slot) {
  auto before = predecessor_of(entries, slot);
  while (before && !table.is_alive(*before)) {
    clear(table, entries, *before);
    before = predecessor_of(entries, slot);
  }
  return before;
}

std::optional<std::size_t> grant_next(const Table& table, std::vector<Entry>& entries,
                                      std::optional<std::size_t> own) {
  if (const auto current = current_slot(entries)) {
    if (is_alive(table, *current, own)) {
      return current;
    }
    if (entries[*current].state == State::Beside) {
      clear_beside(table, entries, *current);
    } else {
      clear(table, entries, *current);
    }
    return grant_next(table, entries, own);  // a damaged table may hold a second one
  }
  for (const std::size_t slot : waiting_order(entries)) {
    if (!is_alive(table, slot, own)) {
      clear(table, entries, slot);
      continue;
    }
    entries[slot].state = State::Granted;
    table.write(slot, entries[slot]);
    count_overtaken(table, entries, slot);
    return slot;
  }
  return std::nullopt;
}

}  // namespace onelane::lane
