#include "core/lane/live.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "core/sys/process.hpp"

namespace onelane::lane {
namespace {

/// True when descriptor `fd` of `process` (/proc/PID) is the lane file, by whatever path it was
/// opened, and its description holds a write lock that ends with `byte`.
bool locks(const std::string& process, const std::string& fd, const Table& table,
           const std::string& byte) {
  struct stat info {};
  if (::stat((process + "/fd/" + fd).c_str(), &info) != 0 ||
      FileId{info.st_dev, info.st_ino} != table.id()) {
    return false;
  }
  const auto facts = sys::read_small_file((process + "/fdinfo/" + fd).c_str(), 1U << 16U);
  const std::size_t at = facts ? facts->find(" " + byte + "\n") : std::string::npos;
  // A waiting call briefly holds a read lock on another ticket's byte.
  return at != std::string::npos && facts->find(" WRITE ", facts->rfind('\n', at) + 1) < at;
}

}  // namespace

bool has_slot(const Table& table, std::size_t slot, pid_t pid) {
  const std::string process = "/proc/" + std::to_string(pid);
  const std::string byte = std::to_string(slot_byte(slot));
  std::error_code error;
  for (std::filesystem::directory_iterator at{process + "/fd", error}, end; !error && at != end;
       at.increment(error)) {
    if (locks(process, at->path().filename().string(), table, byte)) {
      return true;
    }
  }
  return false;
}

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

std::vector<Kept> living_kept(const Table& table) {
  std::vector<Kept> out = table.kept();
  const auto boot = static_cast<std::uint32_t>(sys::boot_id());
  std::erase_if(out, [&](const Kept& kept) {
    const auto stat = sys::read_stat(kept.pid);
    return kept.boot != boot || !stat || stat->id != sys::ProcessId{kept.pid, kept.start} ||
           stat->has_ended();
  });
  return out;
}

std::vector<pid_t> owners_of(const Table& table, std::size_t slot) {
  std::vector<pid_t> out = sys::all_pids();
  std::erase_if(out, [&](pid_t pid) { return !has_slot(table, slot, pid); });
  return out;
}

}  // namespace onelane::lane
