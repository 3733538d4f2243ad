#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "core/lane/left.hpp"
#include "core/lane/live.hpp"
#include "core/lane/nesting.hpp"
#include "core/lane/ticket.hpp"
#include "core/sys/run_id.hpp"
#include "tests/fuzz/lane_file.hpp"

namespace {

using namespace onelane;

void check(bool holds) {
  if (!holds) {
    std::abort();
  }
}

template <std::size_t N>
void check_ends(const std::array<char, N>& text) {
  check(text.back() == '\0');
}

void check_id(const lane::RunId& id) {
  check_ends(id);
  check(lane::view(id).empty() || sys::is_run_id(lane::view(id)));
}

/// Ids are ids or nothing, and texts end inside their fields.
void read_all(const lane::Table& table) {
  const lane::Header header = table.header();
  check(header.high <= table.slots());
  check_ends(header.held_reason);
  const lane::LastRun last = table.last_run();
  check_id(last.run_id);
  check_id(last.ran);
  check(!lane::was_killed(table, last) || sys::is_run_id(lane::view(last.run_id)));
  const auto entries = table.entries();
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    check_id(entries[slot].run_id);
    if (entries[slot].sequence == 0) {
      continue;
    }
    if (const auto detail = table.detail(slot, entries[slot].sequence)) {
      check_ends(detail->command);
      check_ends(detail->ancestor_lanes);
      for (const lane::RunId& above : detail->ancestors) {
        check_id(above);
      }
    }
  }
  for (const lane::Kept& kept : table.kept()) {
    check_id(kept.run_id);
    check_ends(kept.name);
  }
  for (const lane::Left& left : table.left()) {
    check_id(left.run_id);
    check_ends(left.command);
  }
  (void)lane::left_places(table, header, entries, table.are_alive(entries));
  (void)lane::current_slot(entries);
  for (const std::size_t slot : lane::waiting_order(entries)) {
    check(entries.at(slot).state == lane::State::Waiting);
  }
  check(lane::live_tickets(table).empty());
  (void)lane::relation_to_lane(table, "abcdefghijk");
}

}  // namespace

/// Whatever a lane file says, with checksums that are right, it is read without a fault, and a
/// ticket has its turn: of all that the file names no process lives.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::LaneFile file;
  file.write(data, size);
  const lane::Table table = file.open();
  read_all(table);
  auto entries = table.entries();
  (void)lane::grant_next(table, entries, std::nullopt);
  lane::TicketInfo info;
  info.rejoin_key = 1;
  info.rejoin = std::chrono::milliseconds{1};
  lane::Ticket ticket{table, info};
  const bool is_held = table.header().held != 0;
  const lane::Step step = ticket.advance();
  check(step == (is_held ? lane::Step::Held : lane::Step::Started));
  (void)ticket.place();
  if (step == lane::Step::Started) {
    lane::Begun begun = ticket.begin();
    while (begun == lane::Begun::NotYet) {
      begun = ticket.begin();
    }
    check(begun == lane::Begun::Yes);
  }
  read_all(table);
  return 0;
}
