#include "core/lane/left.hpp"

#include <algorithm>

#include "core/sys/clock.hpp"
#include "core/sys/process.hpp"

namespace onelane::lane {
namespace {

std::uint32_t this_boot() noexcept {
  return static_cast<std::uint32_t>(sys::boot_id());
}

Left place_of(const Table& table, std::size_t slot, const Entry& entry) {
  Left left;
  left.key = entry.rejoin_key;
  left.sequence = entry.sequence;
  left.uid = entry.uid;
  left.boot = entry.boot;
  left.priority = entry.priority;
  left.overtaken = entry.overtaken;
  left.run_id = entry.run_id;
  if (const auto detail = table.detail(slot, entry.sequence)) {
    set_text(left.command, detail->command.data());
  }
  return left;
}

bool is_in_time(const Left& left, std::uint32_t boot, std::int64_t now) noexcept {
  return left.sequence != 0 && left.boot == boot && left.until_boottime > now;
}

/// A header that was lost may have restarted its numbers; no two entries may share one.
bool is_taken(const std::vector<Entry>& entries, std::uint64_t sequence) {
  return std::ranges::any_of(entries, [&](const Entry& entry) {
    return entry.state != State::Free && entry.sequence == sequence;
  });
}

/// Where to write the place `sequence`: where it is already, else in an unused slot, else over the
/// place that expires first.
std::size_t index_for(const std::vector<Left>& all, std::uint64_t sequence, std::uint32_t boot) {
  const auto same = std::ranges::find(all, sequence, &Left::sequence);
  const auto worth = [&](const Left& left) {
    return left.sequence == 0 || left.boot != boot ? 0 : left.until_boottime;
  };
  return static_cast<std::size_t>(
      (same != all.end() ? same : std::ranges::min_element(all, {}, worth)) - all.begin());
}

}  // namespace

bool may_rejoin(const Entry& entry) noexcept {
  const bool waits = entry.state == State::Waiting || entry.state == State::Parked ||
                     entry.state == State::Granted;
  return waits && entry.rejoin_key != 0 && entry.rejoin_ms != 0 && entry.sequence != 0;
}

void remember(const Table& table, Header& header, std::size_t slot, const Entry& entry) {
  const std::uint32_t boot = this_boot();
  const bool is_damaged = header.high == 0;  // not to be written: the tickets' owners repair it
  if (!may_rejoin(entry) || entry.boot != boot || is_damaged) {
    return;
  }
  Left left = place_of(table, slot, entry);
  const std::chrono::nanoseconds until =
      sys::boot_time() + std::chrono::milliseconds{entry.rejoin_ms};
  left.until_boottime = until.count();
  table.write(index_for(table.left(), left.sequence, boot), left);
  if (header.left == 0) {
    header.left = 1;
    table.write(header);
  }
}

void remember_dead(const Table& table, Header& header, std::vector<Entry>& entries,
                   const Entry& comer) {
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    if (entries[slot].rejoin_key == comer.rejoin_key && entries[slot].uid == comer.uid &&
        may_rejoin(entries[slot]) && !table.is_alive(slot)) {
      remember(table, header, slot, entries[slot]);
      entries[slot] = Entry{};
      table.write(slot, entries[slot]);
    }
  }
}

std::optional<FoundLeft> find_left(const Table& table, Header& header,
                                   const std::vector<Entry>& entries, const Entry& comer) {
  if (header.left == 0) {
    return std::nullopt;
  }
  const std::int64_t now = sys::boot_time().count();
  std::optional<FoundLeft> found;
  bool any = false;
  const auto all = table.left();
  for (std::size_t index = 0; index < all.size(); ++index) {
    const Left& left = all[index];
    if (!is_in_time(left, comer.boot, now) || left.sequence >= header.next_sequence ||
        is_taken(entries, left.sequence)) {
      continue;
    }
    any = true;
    if (comer.rejoin_key != 0 && comer.rejoin_ms != 0 && left.key == comer.rejoin_key &&
        left.uid == comer.uid && (!found || left.sequence < found->left.sequence)) {
      found = FoundLeft{left, index};
    }
  }
  header.left = any ? 1 : 0;
  return found;
}

std::vector<LeftPlace> left_places(const Table& table, const Header& header,
                                   const std::vector<Entry>& entries,
                                   const std::vector<bool>& alive) {
  std::vector<LeftPlace> places;
  if (table.is_copy(header)) {
    return places;
  }
  const std::uint32_t boot = this_boot();
  const std::int64_t now = sys::boot_time().count();
  for (const Left& left : header.left == 0 ? std::vector<Left>{} : table.left()) {
    if (is_in_time(left, boot, now) && !is_taken(entries, left.sequence)) {
      places.push_back({left, std::chrono::nanoseconds{left.until_boottime - now}});
    }
  }
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    const Entry& entry = entries[slot];
    if (may_rejoin(entry) && entry.boot == boot && !alive[slot]) {
      places.push_back({place_of(table, slot, entry), std::nullopt});
    }
  }
  std::ranges::sort(places, {}, [](const LeftPlace& place) { return place.left.sequence; });
  return places;
}

}  // namespace onelane::lane
