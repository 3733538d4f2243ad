#include "core/lane/entries.hpp"

#include <unistd.h>

#include <algorithm>
#include <limits>

#include "core/lane/left.hpp"
#include "core/sys/clock.hpp"

namespace onelane::lane {

Detail make_detail(const TicketInfo& info) {
  Detail detail;
  detail.enqueued_boottime = sys::boot_time().count();
  detail.enqueued_wall = sys::wall_seconds();
  set_text(detail.tool, info.tool);
  set_text(detail.command, info.command);
  set_text(detail.directory, info.directory);
  set_text(detail.terminal, info.terminal);
  set_text(detail.agent, info.agent);
  set_text(detail.until, info.until);
  detail.may_prompt = info.may_prompt ? 1 : 0;
  detail.reads_input = info.reads_input ? 1 : 0;
  detail.context = info.context;
  detail.call_key = info.call_key;
  return detail;
}

Entry make_entry(const TicketInfo& info) {
  Entry entry;
  entry.state = State::Waiting;
  entry.priority = static_cast<std::int16_t>(std::clamp(info.priority, -100, 100));
  const sys::ProcessId self = sys::self_id();
  entry.pid = self.pid;
  entry.start = self.start;
  entry.pid_namespace = sys::pid_namespace();
  entry.boot = static_cast<std::uint32_t>(sys::boot_id());
  entry.uid = ::getuid();
  entry.run_id = new_run_id();
  entry.rejoin_key = info.rejoin_key;
  entry.rejoin_ms = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(info.rejoin.count(), 0, std::numeric_limits<std::uint32_t>::max()));
  return entry;
}

void own_file(const Table& table, Header& header, std::vector<Entry>& entries) {
  if (table.is_copy(header)) {
    for (std::size_t slot = 0; slot < entries.size(); ++slot) {
      if (entries[slot].state != State::Free && !table.is_alive(slot)) {
        entries[slot] = Entry{};
        table.write(slot, entries[slot]);
      }
    }
    for (std::size_t index = 0; index < kLeftSlots; ++index) {
      table.write(index, Left{});
    }
    header.left = 0;
    table.write_kept({});
  }
  header.file = table.id();
}

}  // namespace onelane::lane
