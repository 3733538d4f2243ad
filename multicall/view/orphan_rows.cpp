#include "multicall/view/orphan_rows.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <unordered_set>

#include "core/sys/clock.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;
using process::Leftover;

std::uint64_t memory_kb(pid_t pid) {
  const auto text = sys::read_small_file(fmt::format("/proc/{}/statm", pid).c_str(), 256);
  if (!text) {
    return 0;
  }
  char* at = nullptr;
  (void)std::strtoull(text->c_str(), &at, 10);  // skips the size of the address space
  const auto resident = std::strtoull(at, &at, 10);
  const auto shared = std::strtoull(at, &at, 10);
  return (resident - std::min(resident, shared)) *
         static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

OrphanRow row_of(const sys::ProcessId& id, std::string run_id, const RunBook& book,
                 std::string_view why = {}) {
  OrphanRow row;
  row.id = id;
  const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  row.age = sys::boot_time() - std::chrono::milliseconds{id.start * 1000 / ticks};
  row.memory_kb = memory_kb(id.pid);
  row.run_command = book.command ? book.command(run_id) : "";
  row.run_id = std::move(run_id);
  row.command = sys::command_line(id.pid, 100);
  row.why = why;
  return row;
}

}  // namespace

std::string_view word_of(Leftover leftover) noexcept {
  switch (leftover) {
    case Leftover::Elsewhere:
      return "terminal";
    case Leftover::Listed:
      return "listed";
    case Leftover::Detached:
      return "detached";
    case Leftover::Background:
      return "background";
    case Leftover::Loose:
      return "loose";
    case Leftover::Gone:
    case Leftover::Straggler:
      break;
  }
  return "straggler";
}

OrphanRows orphan_rows(const process::OrphanScan& scan, const LanesHere* lanes,
                       const RunBook& book) {
  OrphanRows rows;
  std::unordered_set<pid_t> shown;
  for (const process::Orphan& orphan : scan.orphans) {
    shown.insert(orphan.stat.id.pid);
    rows.orphans.push_back(
        row_of(orphan.stat.id, orphan.run_id, book,
               orphan.sorted == Leftover::Straggler ? std::string_view{} : word_of(orphan.sorted)));
  }
  for (const lane::Kept& kept : lanes != nullptr ? kept_by(*lanes) : std::vector<lane::Kept>{}) {
    if (shown.insert(kept.pid).second) {
      rows.kept.push_back(
          row_of({kept.pid, kept.start}, std::string{lane::view(kept.run_id)}, book, "recorded"));
    }
  }
  for (const process::Orphan& kept : scan.kept) {
    if (kept.sorted != Leftover::Elsewhere && !shown.contains(kept.stat.id.pid)) {
      rows.kept.push_back(row_of(kept.stat.id, kept.run_id, book, word_of(kept.sorted)));
    }
  }
  return rows;
}

nlohmann::json json_of(const std::vector<OrphanRow>& rows) {
  json out = json::array();
  for (const OrphanRow& row : rows) {
    json one{{"pid", row.id.pid},
             {"start", row.id.start},
             {"age_seconds", std::chrono::duration_cast<std::chrono::seconds>(row.age).count()},
             {"memory_kb", row.memory_kb},
             {"run", row.run_id},
             {"run_command", row.run_command.empty() ? json(nullptr) : json(row.run_command)},
             {"command", row.command}};
    if (!row.why.empty()) {
      one["why"] = row.why;
    }
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace onelane::multicall
