#include "core/lane/nesting.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>

namespace onelane::lane {
namespace {

/// `entry` is from our PID namespace but has another clock.
bool has_another_clock(const Entry& entry) {
  const std::uint64_t ours = sys::pid_namespace();
  return entry.pid_namespace != ours && sys::pids_of(entry.pid_namespace) == sys::pids_of(ours);
}

/// `id`, as we read it, is the supervisor of `entry`. Under another clock its start time differs,
/// and the pid alone decides: two live processes never share one.
bool is_supervisor(const sys::ProcessId& id, const Entry& entry) {
  const sys::ProcessId supervisor = entry.supervisor();
  return id == supervisor || (id.pid == supervisor.pid && has_another_clock(entry));
}

bool is_above(const sys::Ancestry& ancestry, const Entry& entry) {
  return std::ranges::any_of(ancestry.chain,
                             [&](const auto& stat) { return is_supervisor(stat.id, entry); });
}

/// The supervisor of `entry`, in our PID namespace but not visible above us, may be above us.
bool may_be_above(const sys::Ancestry& ancestry, const Entry& entry) {
  return !ancestry.complete &&
         !(entry.pid_namespace == sys::pid_namespace() && rules_out(ancestry, entry.supervisor()));
}

/// The caller is, or is below, a process for which run `id` holds the lane after its tool has
/// ended.
bool is_in_background(const Table& table, const sys::Ancestry& ancestry, const RunId& id,
                      const IsLaneCall& is_lane_call) {
  const auto boot = static_cast<std::uint32_t>(sys::boot_id());
  const auto kept = table.kept();
  const auto is_one = [&](const sys::ProcessId& process) {
    return std::ranges::any_of(kept,
                               [&](const Kept& one) {
                                 return one.is_background != 0 && one.run_id == id &&
                                        one.boot == boot && one.pid == process.pid &&
                                        one.start == process.start;
                               }) ||
           (is_lane_call && is_lane_call(process, view(id)));
  };
  return is_one(sys::self_id()) ||
         std::ranges::any_of(ancestry.chain, [&](const auto& stat) { return is_one(stat.id); });
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

// Every parent is older than its children, both by birth and when its own parent ends: the process
// then gets a parent that was above the old one, a subreaper or the namespace's init (prctl(2),
// PR_SET_CHILD_SUBREAPER). So a hidden process above an ancestor is older than it. Start times in
// ticks may be equal for two generations, which proves nothing.
bool rules_out(const sys::Ancestry& ancestry, const sys::ProcessId& supervisor) noexcept {
  return ancestry.complete || std::ranges::any_of(ancestry.chain, [&](const auto& stat) {
           return stat.id.start < supervisor.start;
         });
}

namespace {

/// Supervisor and guardian of the last run are dead, and the current ticket waits for that run's
/// background processes.
bool is_waited_for(const std::vector<Entry>& entries, const Table& table,
                   const IsLaneCall& is_lane_call) {
  if (std::ranges::none_of(entries,
                           [](const Entry& entry) { return entry.state == State::Granted; })) {
    return false;
  }
  const LastRun last = table.last_run();
  return last.open != 0 && last.boot == static_cast<std::uint32_t>(sys::boot_id()) &&
         is_in_background(table, sys::ancestry_of(::getpid()), last.run_id, is_lane_call);
}

Relation relation_in(const Header& header, const std::vector<Entry>& entries, const Table& table,
                     std::string_view held, const IsLaneCall& is_lane_call) {
  if (std::ranges::none_of(entries, [](const Entry& entry) {
        return has_lane(entry.state) || entry.state == State::Service;
      })) {
    return is_waited_for(entries, table, is_lane_call) ? Relation::BelowHolder : Relation::Outside;
  }
  const std::uint64_t ours = sys::pid_namespace_alone();
  const auto boot = static_cast<std::uint32_t>(sys::boot_id());
  // The run above us may have copied its checkout: it then holds the original lane, not this one.
  const bool is_copy = table.is_copy(header);
  // The tool of a run calls from just below its supervisor: then no other ancestor matters.
  const auto is_holder = [&](const sys::ProcessStat& stat) {
    return !is_copy && std::ranges::any_of(entries, [&](const Entry& entry) {
      return has_lane(entry.state) && entry.state != State::Background && entry.boot == boot &&
             sys::pids_of(entry.pid_namespace) == ours && is_supervisor(stat.id, entry);
    });
  };
  const sys::Ancestry ancestry = sys::ancestry_of(::getpid(), is_holder);
  Relation relation = Relation::Outside;
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    const Entry& entry = entries[slot];
    const bool service = entry.state == State::Service;
    if ((!has_lane(entry.state) && !service) || entry.boot != boot) {
      continue;
    }
    const bool is_background = entry.state == State::Background;
    const bool is_here = sys::pids_of(entry.pid_namespace) == ours;
    const bool may_be =
        !is_here || (is_background ? !ancestry.complete : may_be_above(ancestry, entry));
    const bool is_below =
        is_here && (is_background ? is_in_background(table, ancestry, entry.run_id, is_lane_call)
                                  : is_above(ancestry, entry));
    if ((is_below && (!is_copy || table.is_alive(slot))) ||
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

/// The entry that holds the lane, with its state.
std::optional<Entry> holder_in(const std::vector<Entry>& entries) {
  const auto holder =
      std::ranges::find_if(entries, [](const Entry& entry) { return holds_lane(entry.state); });
  return holder == entries.end() ? std::nullopt : std::optional{*holder};
}

}  // namespace

// Between the reads of the table and the ancestors, the supervisor may leave its run to its
// guardian, so processes below it are no longer so. A parent that ends just before its stat is read
// also hides its ancestors.
Relation relation_to_lane(const Table& table, std::string_view held,
                          const IsLaneCall& is_lane_call) {
  constexpr int kLooks = 4;
  const Header header = table.header();
  auto entries = table.entries(header.high);
  Relation relation = Relation::Outside;
  for (int look = 0; look < kLooks; ++look) {
    relation = relation_in(header, entries, table, held, is_lane_call);
    const auto holder = holder_in(entries);
    const bool is_hidden =
        relation == Relation::Unprovable && holder && holder->pid_namespace == sys::pid_namespace();
    if (is_hidden) {
      continue;
    }
    if (relation != Relation::Outside || !holder) {
      break;
    }
    entries = table.entries(table.header().high);
    const auto now = holder_in(entries);
    if (now && now->state == holder->state && now->supervisor() == holder->supervisor()) {
      break;
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
