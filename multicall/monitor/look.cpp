#include "multicall/monitor/look.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

#include "core/journal/journal.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/context/limits.hpp"

namespace onelane::multicall::monitor {
namespace {

using std::chrono::nanoseconds;

constexpr std::size_t kRecent = 20;
constexpr std::size_t kCurve = 64;
/// A tool is forked first and becomes itself only at exec: until then its command line may change.
constexpr std::chrono::seconds kYoung{2};
constexpr std::chrono::seconds kUsualStays{30};

nanoseconds age_of(const sys::ProcessId& id) {
  static const auto tick = nanoseconds{std::chrono::seconds{1}} / ::sysconf(_SC_CLK_TCK);
  return std::max(nanoseconds{0}, sys::boot_time() - static_cast<long>(id.start) * tick);
}

double seconds_of(nanoseconds span) {
  return std::chrono::duration<double>(span).count();
}

double percent(std::uint64_t ticks, nanoseconds span) {
  static const auto per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return span.count() <= 0 ? 0 : static_cast<double>(ticks) * 100 / per_second / seconds_of(span);
}

void append(std::vector<std::uint64_t>& curve, std::uint64_t value) {
  if (curve.size() == kCurve) {
    curve.erase(curve.begin());
  }
  curve.push_back(value);
}

std::uint64_t mark_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return 1;
  }
  return static_cast<std::uint64_t>(info.st_ino) * 1'000'003U ^
         static_cast<std::uint64_t>(info.st_size) * 31U ^
         static_cast<std::uint64_t>(info.st_mtim.tv_nsec);
}

/// Empty when there is no such lane. Throws for one that exists but cannot be read: it is not free.
std::optional<lane::Table> open_lane(const std::string& path) {
  auto table = lane::Table::open_existing(path);
  if (!table && errno != ENOENT && errno != ENOTDIR) {
    throw open_error(path, errno);
  }
  return table;
}

/// `onelane run`, seq and safe-run have limits of their own.
settings::Audience audience_of(const TicketView& holder) {
  const auto words = sys::arguments(holder.supervisor.pid);
  const std::string first = words.empty() ? "" : words[0].substr(words[0].rfind('/') + 1);
  return first == "onelane" || first == "seq" || first == "safe-run" ? settings::Audience::Run
                                                                     : settings::Audience::Shim;
}

}  // namespace

const LaneLook* Look::lane_of(std::string_view ticket) const {
  for (const LaneLook& lane : lanes) {
    const auto is_it = [&](const TicketView& view) { return view.id == ticket; };
    if ((lane.view.holder && is_it(*lane.view.holder)) ||
        std::ranges::any_of(lane.view.beside, is_it) ||
        std::ranges::any_of(lane.view.queue, is_it) ||
        std::ranges::any_of(lane.view.services, is_it)) {
      return &lane;
    }
  }
  return nullptr;
}

const TicketView* Look::find(std::string_view ticket) const {
  const LaneLook* lane = lane_of(ticket);
  if (lane == nullptr || (lane->view.holder && lane->view.holder->id == ticket)) {
    return lane == nullptr ? nullptr : &*lane->view.holder;
  }
  for (const auto* list : {&lane->view.beside, &lane->view.queue, &lane->view.services}) {
    const auto it = std::ranges::find(*list, ticket, &TicketView::id);
    if (it != list->end()) {
      return &*it;
    }
  }
  return nullptr;
}

bool Look::has_holder() const {
  return std::ranges::any_of(lanes,
                             [](const LaneLook& lane) { return lane.view.holder.has_value(); });
}

FreshUsual::FreshUsual(std::string directory)
    : directory_{std::move(directory)}, usual_{directory_}, since_{sys::monotonic_time()} {}

journal::Usual* FreshUsual::get() {
  if (const auto now = sys::monotonic_time(); is_old_ && now - since_ > kUsualStays) {
    usual_ = journal::Usual{directory_};
    since_ = now;
    is_old_ = false;
  }
  return &usual_;
}

std::vector<LaneLook> look_at_lanes(const LanesHere& lanes, journal::Usual* usual) {
  std::vector<LaneLook> out;
  const std::string& state = lanes.project.state_dir;
  out.push_back({"main", state, {}});
  if (const auto table = open_lane(state + "/lane")) {
    out.back().view = view_of(*table, usual);
  }
  if (const auto table = open_lane(state + "/git/lane")) {
    out.push_back({"git", state + "/git", view_of(*table, usual)});
  }
  return out;
}

Looker::Looker(const LanesHere& lanes) : lanes_{lanes}, usual_{lanes.project.state_dir} {}

Look Looker::take() {
  Look look;
  now_ = sys::monotonic_time();
  look.project = lanes_.project.name;
  look.at_wall = sys::wall_seconds();
  read_journal();
  try {
    look.lanes = look_at_lanes(lanes_, usual_.get());
  } catch (const sys::SystemError& error) {
    look.trouble = error.what();
  }
  read_processes(look);
  read_limits(look);
  read_machine(look);
  look.recent = recent_;
  return look;
}

ProcessLook Looker::process_of(const ProcessView& view) {
  const sys::ProcessStat& stat = view.stat;
  ProcessLook out{stat.id, stat.parent, view.depth, stat.state, view.bytes, 0, age_of(stat.id), {}};
  Seen& seen = seen_[stat.id.pid];
  if (seen.id != stat.id) {
    seen = {};
    seen.id = stat.id;
    out.cpu = percent(stat.cpu_ticks, out.age);
  } else {
    out.cpu = percent(stat.cpu_ticks - std::min(seen.ticks, stat.cpu_ticks), now_ - seen.at);
  }
  if (seen.command.empty() || seen.name != stat.name.data() || out.age < kYoung) {
    seen.name = stat.name.data();
    seen.command.clear();
    for (const std::string& word : sys::arguments(stat.id.pid)) {
      seen.command += (seen.command.empty() ? "" : " ") + word;
    }
    if (seen.command.empty()) {
      seen.command = "[" + seen.name + "]";
    }
  }
  seen.ticks = stat.cpu_ticks;
  seen.at = now_;
  seen.round = round_;
  out.command = seen.command;
  return out;
}

void Looker::read_processes(Look& look) {
  ++round_;
  std::string holders;
  std::uint64_t bytes = 0;
  for (const LaneLook& lane : look.lanes) {
    if (!lane.view.holder) {
      continue;
    }
    holders += lane.view.holder->id;
    for (const ProcessView& view : processes_of(*lane.view.holder)) {
      look.processes.push_back(process_of(view));
      bytes += view.bytes;
    }
  }
  std::erase_if(seen_, [this](const auto& entry) { return entry.second.round != round_; });
  if (holders != curve_of_) {
    curve_of_ = holders;
    run_curve_.clear();
  }
  if (!holders.empty()) {
    append(run_curve_, bytes);
  }
  look.run_curve = run_curve_;
}

void Looker::read_limits(Look& look) {
  for (const LaneLook& lane : look.lanes) {
    if (!lane.view.holder || lane.view.holder->id == limits_of_) {
      continue;
    }
    limits_of_ = lane.view.holder->id;
    const auto audience = audience_of(*lane.view.holder);
    limits_ = limits_of(audience == settings::Audience::Shim
                            ? lanes_.settings
                            : load_settings(lanes_.project.root, audience).settings,
                        /*has_time_limits=*/false);
    break;
  }
  look.limits = limits_;
}

void Looker::read_machine(Look& look) {
  look.machine = sys::machine_memory();
  look.load = sys::machine_load().average;
  look.processors = std::max(1U, std::thread::hardware_concurrency());
  look.pressure = sys::memory_pressure();
  append(machine_curve_, look.machine.total - std::min(look.machine.total, look.machine.available));
  look.machine_curve = machine_curve_;
}

void Looker::read_journal() {
  const std::string& directory = lanes_.project.state_dir;
  const std::uint64_t mark = mark_of(directory + "/" + journal::kJournalName);
  if (mark == journal_mark_) {
    return;
  }
  usual_.journal_has_changed();
  journal_mark_ = mark;
  recent_.clear();
  journal::for_each(directory, journal::Order::NewestFirst, [this](std::string_view line) {
    if (auto record = journal::parse(line)) {
      recent_.push_back(std::move(*record));
    }
    return recent_.size() < kRecent;
  });
}

Wakes::Wakes(const LanesHere& lanes)
    : directories_{lanes.project.state_dir, lanes.project.state_dir + "/git",
                   log_directory(lanes.project, lanes.settings)},
      inotify_{sys::lift(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK))} {
  watch_directories();
}

// Watching again what is watched already changes nothing (inotify_add_watch(2)).
void Wakes::watch_directories() {
  constexpr std::uint32_t kChanges =
      IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR;
  sees_everything_ = inotify_.is_open();
  for (const std::string& directory : directories_) {
    const int watch = ::inotify_add_watch(inotify_.get(), directory.c_str(), kChanges);
    sees_everything_ = sees_everything_ && (watch >= 0 || directory != directories_.front());
  }
}

// A dead owner's pidfd is readable forever (pidfd_open(2)), a zombie's too, so sleeping on it
// would not block. A guardian has its ticket until it is done.
void Wakes::watch_owner(const TicketView& ticket, std::map<pid_t, sys::FileDescriptor>& owners) {
  const pid_t pid = ticket.supervisor.pid;
  sys::FileDescriptor pidfd;
  if (auto known = owners_.extract(pid)) {
    pidfd = std::move(known.mapped());
  } else if (ticket.is_here) {
    pidfd = sys::lift(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  }
  pollfd polled{pidfd.get(), POLLIN, 0};
  if (pidfd.is_open() && ::poll(&polled, 1, 0) == 0) {
    owners[pid] = std::move(pidfd);
  } else {
    sees_everything_ = false;
  }
}

void Wakes::follow(const std::vector<LaneLook>& lanes) {
  watch_directories();
  std::map<pid_t, sys::FileDescriptor> owners;
  const auto add = [&](const TicketView& ticket) { watch_owner(ticket, owners); };
  for (const LaneLook& lane : lanes) {
    if (lane.view.holder) {
      add(*lane.view.holder);
    }
    std::ranges::for_each(lane.view.beside, add);
    std::ranges::for_each(lane.view.queue, add);
    std::ranges::for_each(lane.view.services, add);
  }
  owners_ = std::move(owners);
}

std::vector<int> Wakes::fds() const {
  std::vector<int> out{inotify_.get()};
  for (const auto& [pid, pidfd] : owners_) {
    out.push_back(pidfd.get());
  }
  return out;
}

void Wakes::drain() {
  alignas(inotify_event) std::array<char, 16384> events;
  while (inotify_.is_open() && ::read(inotify_.get(), events.data(), events.size()) > 0) {
  }
}

}  // namespace onelane::multicall::monitor
