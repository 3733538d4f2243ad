#include "core/lane/nesting.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>

namespace onelane::lane {
namespace {

/// The clock of `entry` is not ours, its PID namespace is.
bool has_another_clock(const Entry& entry) {
  const std::uint64_t ours = sys::pid_namespace();
  return entry.pid_namespace != ours && sys::pids_of(entry.pid_namespace) == sys::pids_of(ours);
}

/// `id`, as we read it, is the supervisor of `entry`. By another clock it starts at another time,
/// and the pid alone tells: of two live processes it is never the same.
bool is_supervisor(const sys::ProcessId& id, const Entry& entry) {
  const sys::ProcessId supervisor = entry.supervisor();
  return id == supervisor || (id.pid == supervisor.pid && has_another_clock(entry));
}

bool is_above(const sys::Ancestry& ancestry, const Entry& entry) {
  return std::ranges::any_of(ancestry.chain,
                             [&](const auto& stat) { return is_supervisor(stat.id, entry); });
}

/// The supervisor of `entry`, of our PID namespace and not to be seen above us, may be above us.
bool may_be_above(const sys::Ancestry& ancestry, const Entry& entry) {
  return !ancestry.complete &&
         !(entry.pid_namespace == sys::pid_namespace() && rules_out(ancestry, entry.supervisor()));
}

std::optional<Above> running_under(const std::string& lane_file, const sys::ProcessId& supervisor) {
  const auto table = Table::open_existing(lane_file);
  if (!table) {
    return std::nullopt;
  }
  for (const Entry& entry : table->entries(table->header().high)) {
    if (has_lane(entry.state) && is_supervisor(supervisor, entry)) {
      return Above{entry.run_id, lane_file};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> lane_file_of(pid_t pid) {
  for (const int first : {sys::kFirstOwnDescriptor, sys::kFirstOwnDescriptorOfFew}) {
    for (int fd = first; fd < first + 8; ++fd) {
      char link[64];
      std::snprintf(link, sizeof link, "/proc/%d/fd/%d", pid, fd);
      char target[4096];
      const ssize_t length = ::readlink(link, target, sizeof target);
      const std::string_view path{target, length > 0 ? static_cast<std::size_t>(length) : 0};
      if (path.ends_with("/lane") && path.find("onelane") != std::string_view::npos) {
        return std::string{path};
      }
    }
  }
  return std::nullopt;
}

// Every parent is older than its children: by birth, and when its parent ends a process gets one
// that was above that parent before, a subreaper or the init of the namespace (prctl(2),
// PR_SET_CHILD_SUBREAPER). So what is hidden above an ancestor is older than it. Times in ticks
// may be equal for two generations, which proves nothing.
bool rules_out(const sys::Ancestry& ancestry, const sys::ProcessId& supervisor) noexcept {
  return ancestry.complete || std::ranges::any_of(ancestry.chain, [&](const auto& stat) {
           return stat.id.start < supervisor.start;
         });
}

Relation relation_to_lane(const Table& table, std::string_view held) {
  const Header header = table.header();
  const auto entries = table.entries(header.high);
  if (std::ranges::none_of(entries, [](const Entry& entry) {
        return has_lane(entry.state) || entry.state == State::Service;
      })) {
    return Relation::Outside;
  }
  const sys::Ancestry ancestry = sys::ancestry_of(::getpid());
  const std::uint64_t ours = sys::pid_namespace_alone();
  const auto boot = static_cast<std::uint32_t>(sys::boot_id());
  // The run above us may have copied its checkout: it holds the lane there, not here.
  const bool is_copy = table.is_copy(header);
  Relation relation = Relation::Outside;
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    const Entry& entry = entries[slot];
    const bool service = entry.state == State::Service;
    if ((!has_lane(entry.state) && !service) || entry.boot != boot) {
      continue;
    }
    const bool is_here = sys::pids_of(entry.pid_namespace) == ours;
    const bool may_be = !is_here || may_be_above(ancestry, entry);
    if ((is_here && is_above(ancestry, entry) && (!is_copy || table.is_alive(slot))) ||
        (may_be && sys::names_run(held, view(entry.run_id)) && table.is_alive(slot))) {
      if (!service) {
        return Relation::BelowHolder;
      }
      relation = Relation::BelowService;
    } else if (!service && may_be && table.is_alive(slot) && relation == Relation::Outside) {
      relation = Relation::Unprovable;
    }
  }
  return relation;
}

std::vector<Above> runs_above(std::string_view own_lane_file) {
  std::vector<Above> out;
  for (const auto& stat : sys::ancestry_of(::getpid()).chain) {
    const auto lane_file = lane_file_of(stat.id.pid);
    if (!lane_file || *lane_file == own_lane_file) {
      continue;
    }
    if (auto above = running_under(*lane_file, stat.id)) {
      out.push_back(std::move(*above));
    }
  }
  return out;
}

}  // namespace onelane::lane
