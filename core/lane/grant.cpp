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

/// Everybody who came before the granted ticket and still waits has been overtaken once more.
void count_overtaken(const Table& table, std::vector<Entry>& entries, std::size_t granted) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Entry& entry = entries[i];
    if (entry.state == State::Waiting && entry.sequence < entries[granted].sequence &&
        entry.overtaken < std::numeric_limits<std::uint8_t>::max()) {
      ++entry.overtaken;
      table.write(i, entry);
    }
  }
}

/// Its supervisor and its guardian died while the holder ran, whose record stood in the way. An
/// open one of a holder that died as well stays: there is room for one.
void hand_down(const Table& table, std::size_t slot, const Entry& entry) {
  const LastRun last = table.last_run();
  const auto detail = table.detail(slot, entry.sequence);
  const bool is_taken = was_killed(table, last);
  if (detail && !is_taken && entry.boot == static_cast<std::uint32_t>(sys::boot_id())) {
    table.write(open_record_of(table, entry, *detail));
  }
}

}  // namespace

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

std::optional<std::size_t> grant_next(const Table& table, std::vector<Entry>& entries,
                                      std::optional<std::size_t> own) {
  if (const auto current = current_slot(entries)) {
    if (is_alive(table, *current, own)) {
      return current;
    }
    if (entries[*current].state == State::Beside) {
      hand_down(table, *current, entries[*current]);
    }
    clear(table, entries, *current);
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
