#include "multicall/view/find_ticket.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

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
  std::string text = name_of(found) + " (pid " + std::to_string(found.ticket.entry.pid) +
                     ", user " + sys::user_name(found.ticket.entry.uid);
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

}  // namespace onelane::multicall
