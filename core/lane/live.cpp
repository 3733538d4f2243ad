#include "core/lane/live.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "core/sys/process.hpp"

namespace onelane::lane {
namespace {

/// True when descriptor `fd` of `pid` is the lane file and its description has `byte` locked.
bool locks(pid_t pid, int fd, const Table& table, const std::string& byte) {
  const std::string process = "/proc/" + std::to_string(pid);
  std::array<char, 4096> target{};
  const ssize_t length =
      ::readlink((process + "/fd/" + std::to_string(fd)).c_str(), target.data(), target.size());
  if (length <= 0 ||
      std::string_view{target.data(), static_cast<std::size_t>(length)} != table.path()) {
    return false;
  }
  const auto facts =
      sys::read_small_file((process + "/fdinfo/" + std::to_string(fd)).c_str(), 1U << 16U);
  return facts && facts->find(" " + byte + " " + byte + "\n") != std::string::npos;
}

}  // namespace

std::vector<LiveTicket> live_tickets(const Table& table) {
  std::vector<LiveTicket> out;
  const auto entries = table.entries();
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    if (entries[slot].state != State::Free && table.is_alive(slot)) {
      out.push_back({entries[slot], slot});
    }
  }
  return out;
}

bool waits_with_key(const Table& table, std::uint32_t uid, std::uint64_t call_key) {
  const auto entries = table.entries();
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    const Entry& entry = entries[slot];
    const bool waits = entry.state == State::Waiting || entry.state == State::Parked;
    if (!waits || entry.uid != uid || !table.is_alive(slot)) {
      continue;
    }
    if (const auto detail = table.detail(slot, entry.sequence);
        detail && detail->call_key == call_key) {
      return true;
    }
  }
  return false;
}

std::optional<LiveTicket> find_live(const Table& table, std::string_view run_id) {
  for (const LiveTicket& ticket : live_tickets(table)) {
    if (view(ticket.entry.run_id) == run_id) {
      return ticket;
    }
  }
  return std::nullopt;
}

std::vector<pid_t> owners_of(const Table& table, std::size_t slot) {
  const std::string byte = std::to_string(slot_byte(slot));
  std::vector<pid_t> out;
  for (const pid_t pid : sys::all_pids()) {
    for (const int first : {sys::kFirstOwnDescriptor, sys::kFirstOwnDescriptorOfFew}) {
      for (int fd = first; fd < first + 8; ++fd) {
        if (locks(pid, fd, table, byte)) {
          out.push_back(pid);
        }
      }
    }
  }
  return out;
}

}  // namespace onelane::lane
