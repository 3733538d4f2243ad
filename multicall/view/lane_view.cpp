#include "multicall/view/lane_view.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "core/lane/live.hpp"
#include "core/process/guardian.hpp"
#include "core/sys/byte_lock.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/memory.hpp"
#include "core/sys/process.hpp"
#include "core/sys/users.hpp"
#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall {
namespace {

using lane::State;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

void add_detail(TicketView& view, const lane::Detail& detail) {
  view.tool = detail.tool.data();
  view.command = detail.command.data();
  view.directory = detail.directory.data();
  view.terminal = detail.terminal.data();
  view.agent = detail.agent.data();
  view.may_prompt = detail.may_prompt != 0;
  view.call_key = detail.call_key;
  view.pipeline_of = lane::view(detail.pipeline_of);
  if (view.state == State::Service && detail.released_boottime > detail.started_boottime) {
    view.released = std::chrono::floor<milliseconds>(
        nanoseconds{detail.released_boottime - detail.started_boottime});
  } else {
    view.until = detail.until.data();
  }
  view.enqueued_wall = detail.enqueued_wall;
  view.started_wall = detail.started_wall;
  const nanoseconds now = sys::boot_time();
  const nanoseconds enqueued{detail.enqueued_boottime};
  const nanoseconds started{detail.started_boottime};
  const bool has_started = started.count() > 0;
  view.waited = std::max(nanoseconds{0}, (has_started ? started : now) - enqueued);
  view.running = has_started ? std::max(nanoseconds{0}, now - started) : nanoseconds{0};
  if (view.is_here) {
    view.tool_process = {detail.tool_pid, detail.tool_start};
  }
}

/// Names of users, each of whom may have many tickets: /etc/passwd is read once for each.
class UserNames {
 public:
  const std::string& name_of(unsigned uid) {
    const auto [it, is_new] = names_.try_emplace(uid);
    if (is_new) {
      it->second = sys::user_name(uid);
    }
    return it->second;
  }

 private:
  std::unordered_map<unsigned, std::string> names_;
};

TicketView ticket_of(const lane::Table& table, const lane::Entry& entry, std::size_t slot,
                     journal::Usual* usual, UserNames& users) {
  TicketView view;
  view.id = lane::view(entry.run_id);
  view.state = entry.state;
  view.uid = entry.uid;
  view.user = users.name_of(entry.uid);
  view.is_here = entry.pid_namespace == sys::pid_namespace();
  view.priority = entry.priority;
  view.overtaken = entry.overtaken;
  view.sequence = entry.sequence;
  if (view.is_here) {
    view.supervisor = entry.supervisor();
  }
  if (const auto detail = table.detail(slot, entry.sequence)) {
    add_detail(view, *detail);
  }
  if (entry.state == State::Background) {
    view.background = lane::background_of(table, entry.run_id);
  }
  const bool is_tool_stopped = sys::is_stopped(view.tool_process);
  view.is_stopped = is_tool_stopped || sys::is_stopped(view.supervisor);
  view.is_supervisor_stopped = view.has_started() && view.is_stopped && !is_tool_stopped;
  if (usual != nullptr && !view.command.empty()) {
    view.usual = usual->duration_of(view.command);
  }
  return view;
}

/// Sums up the usual durations from the holder down the queue.
void add_etas(LaneView& view) {
  std::optional<milliseconds> sum = milliseconds{0};
  bool is_overdue = false;
  if (view.holder) {
    sum = view.holder->usual;
    if (sum) {
      const auto left = *sum - std::chrono::ceil<milliseconds>(view.holder->running);
      is_overdue = left < milliseconds{0};
      view.holder->is_overdue = is_overdue;
      sum = std::max(left, milliseconds{0});
    }
  }
  for (TicketView& ticket : view.queue) {
    if (view.is_on_hold || ticket.state == State::Cancelled || ticket.state == State::Parked) {
      continue;
    }
    ticket.eta = sum;
    ticket.is_overdue = is_overdue;
    sum = sum && ticket.usual ? std::optional{*sum + *ticket.usual} : std::nullopt;
  }
}

/// Marks the calls that may take the result of one before them.
void mark_same(std::vector<TicketView>& queue) {
  std::map<std::pair<std::uint64_t, unsigned>, std::size_t> places;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    TicketView& ticket = queue[i];
    if (ticket.call_key == 0) {
      continue;
    }
    const auto [first, is_first] = places.try_emplace({ticket.call_key, ticket.uid}, i + 1);
    ticket.same_as = is_first ? 0 : first->second;
  }
}

/// What can be read of the table.
struct Listing {
  std::vector<lane::Entry> entries;
  lane::Header header;
  bool is_torn = false;
};

/// True for an unreadable header followed by entries.
bool is_lost(const lane::Table& table, const lane::Header& header) {
  struct stat info {};
  return header.high == 0 && header.next_sequence == 1 && ::fstat(table.fd(), &info) == 0 &&
         info.st_size > lane::kEntriesAt;
}

/// A reader without the gate may meet a writer: only what stays torn is damage.
Listing listing_of(const lane::Table& table) {
  constexpr int kLooks = 3;
  Listing listing;
  for (int look = 0; look < kLooks; ++look) {
    const lane::Header header = table.header();
    listing.is_torn = is_lost(table, header);
    listing.header = header;
    listing.entries =
        table.entries(listing.is_torn ? table.slots() : header.high, &listing.is_torn);
    if (!listing.is_torn) {
      break;
    }
  }
  return listing;
}

/// False for a zombie, which holds no lock any more.
bool is_live(const sys::ProcessId& id) {
  const auto stat = sys::read_stat(id.pid);
  return stat && stat->id == id && !stat->has_ended();
}

/// True for an entry that names the holder, or for the ticket that already has the lane but is
/// still clearing away after a killed run.
bool names_holder(const lane::Table& table) {
  const bool is_clearing = lane::was_killed(table, table.last_run());
  return std::ranges::any_of(lane::live_tickets(table), [&](const lane::LiveTicket& ticket) {
    const State state = ticket.entry.state;
    return lane::has_lane(state) ||
           (is_clearing && (state == State::Granted || state == State::Cancelled));
  });
}

using Children = std::unordered_multimap<pid_t, const sys::ProcessStat*>;

std::filesystem::path program_of(pid_t pid) {
  std::error_code error;
  return std::filesystem::read_symlink(fmt::format("/proc/{}/exe", pid), error);
}

/// The canary shares the supervisor's memory: the same name, program and command line. A child that
/// is about to become the tool looks the same.
bool is_canary(const sys::ProcessStat& stat, const sys::ProcessStat& supervisor) {
  return stat.name == supervisor.name && !stat.has_ended() &&
         program_of(stat.id.pid) == program_of(supervisor.id.pid) &&
         sys::arguments(stat.id.pid) == sys::arguments(supervisor.id.pid);
}

/// Guardian and canary are children of the supervisor but not part of the run.
bool is_our_own(const sys::ProcessStat& stat, const sys::ProcessStat& supervisor,
                const sys::ProcessId& tool) {
  return stat.parent == supervisor.id.pid && stat.id != tool &&
         (std::string_view{stat.name.data()} == process::kGuardianName ||
          is_canary(stat, supervisor));
}

void add_below(std::vector<ProcessView>& out, const Children& children, pid_t parent, int depth) {
  constexpr int kDeepest = 200;
  const auto [begin, end] = children.equal_range(parent);
  std::vector<const sys::ProcessStat*> sorted;
  for (auto it = begin; it != end; ++it) {
    sorted.push_back(it->second);
  }
  std::ranges::sort(sorted, {}, [](const sys::ProcessStat* stat) { return stat->id.start; });
  for (const sys::ProcessStat* stat : sorted) {
    const auto exact = sys::read_memory(stat->id.pid);
    out.push_back({*stat, depth, exact.value_or(stat->has_ended() ? 0 : stat->resident)});
    if (depth < kDeepest) {
      add_below(out, children, stat->id.pid, depth + 1);
    }
  }
}

/// A process that is no longer a child of the supervisor, and its descendants.
void add_tree(std::vector<ProcessView>& out, pid_t pid) {
  const auto root = sys::read_stat(pid);
  if (!root) {
    return;
  }
  const auto all = sys::descendants_of(pid);
  Children children;
  for (const sys::ProcessStat& stat : all) {
    children.emplace(stat.parent, &stat);
  }
  out.push_back({*root, 0, sys::read_memory(pid).value_or(root->resident)});
  add_below(out, children, pid, 1);
}

}  // namespace

bool is_holder_unknown(const lane::Table& table) {
  constexpr int kLooks = 10;
  constexpr int kBetweenMs = 10;
  for (int look = 0; look < kLooks; ++look) {
    (void)::poll(nullptr, 0, look == 0 ? 0 : kBetweenMs);
    if (!sys::is_byte_locked(table.fd(), lane::kLaneByte) || names_holder(table)) {
      return false;
    }
  }
  return true;
}

LaneView view_of(const lane::Table& table, journal::Usual* usual) {
  LaneView view;
  const Listing listing = listing_of(table);
  const auto& entries = listing.entries;
  const auto alive = table.are_alive(entries);
  UserNames users;
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    const State state = entries[slot].state;
    if (state == State::Free || state == State::Waiting || !alive[slot]) {
      continue;
    }
    TicketView ticket = ticket_of(table, entries[slot], slot, usual, users);
    if (lane::holds_lane(state)) {
      view.holder = std::move(ticket);
    } else if (state == State::Beside) {
      view.beside.push_back(std::move(ticket));
    } else if (state == State::Service) {
      view.services.push_back(std::move(ticket));
    } else {
      view.queue.push_back(std::move(ticket));  // granted, parked, cancelled
    }
  }
  std::ranges::sort(view.beside, {}, &TicketView::sequence);
  if (!view.holder && !view.beside.empty()) {  // its entry is about to be written
    view.holder = std::move(view.beside.front());
    view.beside.erase(view.beside.begin());
  }
  const auto granted_first = [](const TicketView& t) { return t.state != State::Granted; };
  std::ranges::stable_sort(view.queue, {}, granted_first);
  for (const std::size_t slot : lane::waiting_order(entries)) {
    if (alive[slot]) {
      view.queue.push_back(ticket_of(table, entries[slot], slot, usual, users));
    }
  }
  mark_same(view.queue);
  view.kept = lane::living_kept(table);
  std::erase_if(view.kept, [&](const lane::Kept& k) {
    return view.holder && std::ranges::any_of(view.holder->background, [&](const auto& b) {
             return b.pid == k.pid && b.start == k.start;
           });
  });
  view.left = lane::left_places(table, listing.header, entries, alive);
  view.is_on_hold = listing.header.held != 0;
  if (const lane::Header& header = listing.header; view.is_on_hold) {
    view.hold = HoldView{sys::user_name(header.held_by), header.held_since,
                         header.held_reason.data(), hold_words(header)};
  }
  view.is_holder_unknown = !view.holder && is_holder_unknown(table);
  view.is_torn = listing.is_torn || view.is_holder_unknown;
  view.gate_holder = lane::find_gate_holder(table);
  add_etas(view);
  return view;
}

bool is_clearing(const TicketView& ticket) noexcept {
  // kill(2) distinguishes a process that is gone from one that /proc hides from us (hidepid).
  if (!ticket.is_here || !ticket.has_started() || is_live(ticket.supervisor)) {
    return false;
  }
  return sys::read_stat(ticket.supervisor.pid) ||
         (::kill(ticket.supervisor.pid, 0) != 0 && errno == ESRCH);
}

void measure(LaneView& view) {
  const auto look = [](TicketView& ticket) {
    const auto processes = processes_of(ticket);
    if (processes.empty()) {
      return;
    }
    ticket.use = TreeUse{processes.size(), 0};
    for (const ProcessView& process : processes) {
      ticket.use->bytes += process.bytes;
    }
  };
  if (view.holder) {
    look(*view.holder);
  }
  std::ranges::for_each(view.beside, look);
  std::ranges::for_each(view.services, look);
}

std::string_view word_of(lane::State state) noexcept {
  switch (state) {
    case State::Granted:
      return "granted";
    case State::Parked:
      return "parked";
    case State::Cancelled:
      return "cancelled";
    case State::Running:
    case State::Beside:
      return "running";
    case State::Service:
      return "service";
    case State::Background:
      return "background";
    case State::Free:
    case State::Waiting:
      break;
  }
  return "waiting";
}

std::vector<ProcessView> processes_of(const TicketView& ticket) {
  std::vector<ProcessView> out;
  for (const lane::Kept& left : ticket.background) {
    add_tree(out, left.pid);
  }
  const pid_t pid = ticket.supervisor.pid;
  const auto supervisor = pid > 0 ? sys::read_stat(pid) : std::nullopt;
  if (!supervisor || supervisor->id != ticket.supervisor) {
    return out;
  }
  const auto all = sys::descendants_of(pid);
  Children children;
  for (const sys::ProcessStat& stat : all) {
    if (!is_our_own(stat, *supervisor, ticket.tool_process)) {
      children.emplace(stat.parent, &stat);
    }
  }
  add_below(out, children, pid, 0);
  return out;
}

}  // namespace onelane::multicall
