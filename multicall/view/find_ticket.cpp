#include "multicall/view/find_ticket.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "core/journal/journal.hpp"
#include "core/lane/admin.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "core/sys/process.hpp"
#include "core/sys/text.hpp"
#include "core/sys/users.hpp"
#include "multicall/context/supervisor_check.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"
#include "multicall/view/lane_view.hpp"
#include "multicall/view/run_view.hpp"

namespace onelane::multicall {
namespace {

/// Continues the call behind a ticket if it is stopped. Failures are ignored.
void continue_stopped(const Found& found) {
  const lane::Entry& entry = found.ticket.entry;
  if (entry.pid_namespace != sys::pid_namespace() || !sys::is_stopped(entry.supervisor())) {
    return;
  }
  const auto pidfd = sys::lift(static_cast<int>(::syscall(SYS_pidfd_open, entry.pid, 0)));
  if (pidfd.is_open() && why_spared(*found.table, found.ticket) == process::Spared::No) {
    (void)!::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGCONT, nullptr, 0);
  }
}

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kUntilRecord{3'000};  ///< From the end of a ticket to its record.
constexpr milliseconds kLookAgain{500};      ///< For a guardian that ends without a record.

/// The supervisor of a ticket; empty when we cannot see it or it is gone.
sys::FileDescriptor supervisor_of(const std::optional<Found>& found) {
  sys::FileDescriptor out;
  if (found && found->ticket.entry.pid_namespace == sys::pid_namespace()) {
    const lane::Entry& entry = found->ticket.entry;
    out = sys::lift(static_cast<int>(::syscall(SYS_pidfd_open, entry.pid, 0)));
    if (!sys::exists(entry.supervisor())) {
      out.reset();
    }
  }
  return out;
}

/// True while the slot of a ticket that has left is still locked: a guardian clears the entry of a
/// killed run before it writes the record.
bool is_kept_by_guardian(const Found& found) {
  const std::size_t slot = found.ticket.slot;
  return found.table->is_alive(slot) && found.table->entries(slot + 1)[slot].sequence == 0;
}

}  // namespace

std::vector<Found> find_tickets(const LanesHere& lanes) {
  std::vector<Found> out;
  for (const lane::Table& table : lanes.tables) {
    for (const lane::LiveTicket& ticket : lane::live_tickets(table)) {
      out.push_back({&table, ticket});
    }
  }
  return out;
}

std::optional<Found> find_ticket(const LanesHere& lanes, std::string_view run_id) {
  for (const lane::Table& table : lanes.tables) {
    if (const auto ticket = lane::find_live(table, run_id)) {
      return Found{&table, *ticket};
    }
  }
  return std::nullopt;
}

std::string name_of(const Found& found) {
  const auto detail = found.table->detail(found.ticket.slot, found.ticket.entry.sequence);
  std::string text = "run " + found.id();
  if (detail) {
    text += " `";
    sys::append_printable(text, detail->command.data(), detail->command.size());
    text += '`';
  }
  return text;
}

std::string words_of(const Found& found) {
  const auto detail = found.table->detail(found.ticket.slot, found.ticket.entry.sequence);
  std::string text = fmt::format("{} (pid {}, user {}", name_of(found), found.ticket.entry.pid,
                                 sys::user_name(found.ticket.entry.uid));
  if (detail) {
    const std::chrono::nanoseconds since{found.has_started() ? detail->started_boottime
                                                             : detail->enqueued_boottime};
    text += ", for " + duration_words(sys::boot_time() - since);
  }
  return text + ")";
}

std::string list_words(const std::vector<Found>& found, bool (*is_meant)(const Found&),
                       std::string_view verb) {
  std::string text;
  std::size_t count = 0;
  for (const Found& one : found) {
    if (is_meant(one)) {
      text += (count++ == 0 ? "; " : ", ") + name_of(one);
    }
  }
  if (count == 0) {
    return "; no call " + std::string{verb} + "s";
  }
  return text + " " + std::string{verb} + (count == 1 ? "s" : "");
}

lane::Table open_writable(const Found& found) {
  auto table = lane::Table::open_existing(found.table->path(), O_RDWR);
  if (!table) {
    sys::throw_errno("open", found.table->path());
  }
  return std::move(*table);
}

bool cancel_ticket(const Found& found) {
  if (!lane::cancel(open_writable(found), found.id())) {
    return false;
  }
  continue_stopped(found);
  return true;
}

int with_lanes(const std::function<int(const LanesHere&)>& act) {
  try {
    const auto lanes = lanes_here_or_say();
    if (!lanes) {
      return 1;
    }
    if (lanes->unreadable) {
      throw sys::SystemError{*lanes->unreadable};
    }
    return act(*lanes);
  } catch (const sys::SystemError& failure) {
    say_always(failure.what());
    return 1;
  }
}

bool was_last(const LanesHere& lanes, std::string_view id) {
  return std::ranges::any_of(lanes.tables, [&](const lane::Table& table) {
    const lane::LastRun last = table.last_run();
    return table.is_own(last) && lane::view(last.run_id) == id;
  });
}

std::optional<journal::Record> record_of_ended(const LanesHere& lanes, const std::string& id,
                                               const std::optional<Found>& found) {
  const std::string& directory = lanes.project.state_dir;
  const auto watch = sys::lift(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (watch.is_open()) {
    (void)::inotify_add_watch(watch.get(), directory.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO);
  }
  const sys::FileDescriptor supervisor = supervisor_of(found);
  const bool is_seen = found && found->ticket.entry.pid_namespace == sys::pid_namespace();
  std::array<pollfd, 2> polled{pollfd{supervisor.get(), POLLIN, 0}, pollfd{watch.get(), POLLIN, 0}};
  for (nanoseconds left = kUntilRecord, end = sys::monotonic_time() + left;;) {
    // Asked before reading the journal, which then has all that was written before this end.
    const bool has_ended = is_seen && (polled[0].fd < 0 || ::poll(&polled[0], 1, 0) == 1);
    const bool is_over = left.count() <= 0 || (has_ended && !is_kept_by_guardian(*found));
    auto record = journal::find(directory, id);
    const bool is_last = record && (record->attempt == 0 || has_ended || !is_seen);
    if (is_last || is_over) {
      return record;
    }
    if (has_ended) {
      polled[0].fd = -1;
    }
    const auto pause = std::min(std::chrono::ceil<milliseconds>(left), kLookAgain);
    (void)::poll(polled.data(), polled.size(), static_cast<int>(pause.count()));
    alignas(inotify_event) std::array<char, 4096> events;
    while (watch.is_open() && ::read(watch.get(), events.data(), events.size()) > 0) {
    }
    left = end - sys::monotonic_time();
  }
}

std::string ended_words(const journal::Record& record) {
  std::string text = record.code          ? fmt::format("exit {}", *record.code)
                     : record.signal != 0 ? fmt::format("signal {}", record.signal)
                                          : "";
  if (record.reason != journal::Reason::Exited && record.reason != journal::Reason::Signalled) {
    text += (text.empty() ? "" : ", ") + std::string{journal::word_of(record.reason)};
  }
  return text + ", after " + took_words(record);
}

int exit_status_of(const std::optional<journal::Record>& record) {
  if (!record) {
    return 1;
  }
  return static_cast<int>(
      record->code.value_or(record->signal != 0 ? 128 + record->signal : std::int64_t{1}));
}

}  // namespace onelane::multicall
