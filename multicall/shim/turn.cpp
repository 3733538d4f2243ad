#include "multicall/shim/turn.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/lane/nesting.hpp"
#include "core/project/state.hpp"
#include "core/sys/error.hpp"
#include "core/sys/hash.hpp"
#include "multicall/context/call.hpp"
#include "multicall/context/index_lock.hpp"
#include "multicall/context/lane_call.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/shim/clear_away.hpp"
#include "multicall/shim/notice.hpp"
#include "multicall/shim/pause.hpp"
#include "multicall/shim/wait_turn.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall {
namespace {

using std::chrono::milliseconds;

static_assert(sizeof(process::RunTraits) <= sizeof(lane::LastRun::context));

/// Identity of a call for REJOIN: a hash of its arguments, its directory and its priority. 0, which
/// rejoins nothing, if the directory is unknown.
std::uint32_t rejoin_key_of(const Call& call, const std::string& directory, int priority) {
  std::uint64_t hash = sys::fnv1a({});
  const auto add = [&hash](std::string_view text) {
    hash = sys::fnv1a(std::string_view{"\0", 1}, sys::fnv1a(text, hash));
  };
  for (const char* word : call.argv) {
    add(word);
  }
  add(directory);
  add(std::to_string(priority));
  return directory.empty() ? 0 : static_cast<std::uint32_t>(hash ^ hash >> 32U);
}

/// How a call waits for the lane's mutex: wait_turn() with its notices and signals, then
/// clear_away_last_run().
class TurnWaiter : public lane::Waiter {
 public:
  TurnWaiter(const Plan& plan, const process::Signals& signals, const LanePlace& place,
             Additions& additions)
      : plan_{plan},
        signals_{signals},
        place_{place},
        additions_{additions},
        admission_{plan.settings} {}

  bool wait(lane::Ticket& ticket, std::optional<std::chrono::nanoseconds> limit) override {
    WaitOptions options = options_for(ticket);
    options.limit = limit;
    end = wait_turn(ticket, signals_, options);
    if (end.end != WaitEnd::End::Started) {
      return false;
    }
    if (const auto why = clear_away_last_run(ticket, plan_, signals_, place_)) {
      end = {WaitEnd::End::GaveUp, 0, *why};
      return false;
    }
    return true;
  }

  WaitEnd end;

 private:
  [[nodiscard]] WaitOptions options_for(lane::Ticket& ticket) const {
    WaitOptions options;
    options.placed = [this, &ticket] {
      additions_.note_place(std::string{lane::view(ticket.run_id())});
    };
    options.lane_name = plan_.project.name;
    options.state_dir = plan_.project.state_dir;
    options.admission = admission_.is_on() ? &admission_ : nullptr;
    options.quiet = is_quiet() || plan_.settings.quiet.value;
    const char* held = std::getenv("ONELANE_HELD");
    const auto relation = [this, &ticket, held] {
      return lane::relation_to_lane(ticket.table(), held == nullptr ? "" : held,
                                    lane_call_test(plan_.lane_dir));
    };
    options.unprovable = relation() == lane::Relation::Unprovable;
    options.is_hidden = options.unprovable && !sys::ancestry_of(::getpid()).complete;
    options.is_nested = [relation] { return relation() == lane::Relation::BelowHolder; };
    options.run_on_deadlock =
        plan_.bounded_wait || plan_.settings.on_deadlock.value == settings::OnDeadlock::Run;
    options.run_when_over = plan_.bounded_wait;
    options.namespace_wait = plan_.settings.ns_wait.value;
    options.rejoin = plan_.settings.rejoin.value;
    return options;
  }

  const Plan& plan_;
  const process::Signals& signals_;
  const LanePlace& place_;
  Additions& additions_;
  Admission admission_;
};

constexpr std::chrono::milliseconds kLookWithin{1'000};
constexpr std::chrono::milliseconds kTellAfter{50};  ///< At the first look, short runs have ended.

}  // namespace

std::optional<int> Turn::wait() {
  if (plan_.lane_dir.empty()) {
    return std::nullopt;
  }
  if (!sys::proc_is_ours()) {
    throw sys::SystemError{ESRCH, "find this process in", "/proc"};
  }
  place_.state = project::open_state(plan_.project);
  place_.file_mode = project::file_mode(place_.state.get());
  const auto code = take();
  if (!code && mutex_) {
    run_id_ = lane::view(mutex_->ticket().run_id());
    take_over_.begin(mutex_->ticket());
  }
  return code;
}

// If the lane file was replaced, tries again; if it was removed with its directory, opening throws.
std::optional<int> Turn::take() {
  constexpr int kMostLanes = 8;
  auto own_waiter = std::make_unique<TurnWaiter>(plan_, signals_, place_, additions_);
  TurnWaiter& waiter = *own_waiter;
  waiter_ = std::move(own_waiter);
  for (int attempt = 0; attempt < kMostLanes; ++attempt) {
    make_lane_directory(plan_.project, place_.state.get(), plan_.lane_dir);
    table_.emplace(plan_.lane_dir, place_.file_mode);
    mutex_.emplace(*table_, info(), waiter);
    if (plan_.is_service()) {
      enlist();
      return std::nullopt;
    }
    if (lock()) {
      start_notice_ = is_beside() ? std::string{} : waiter.end.why;
      return std::nullopt;
    }
    switch (waiter.end.end) {
      case WaitEnd::End::Signal:
        process::die_of(waiter.end.signal);
      case WaitEnd::End::GaveUp:
        say_always(waiter.end.why);
        return kExitGaveUp;
      case WaitEnd::End::Unqueued:
        say_always(waiter.end.why + "; running without the lane" +
                   (plan_.bounded_wait ? "" : " (ON_DEADLOCK=run)"));
        drop();
        return std::nullopt;
      case WaitEnd::End::Nested:
        drop();
        return std::nullopt;
      case WaitEnd::End::Gone:
      case WaitEnd::End::Started:
        drop();
        let_removal_pass();
        break;
    }
  }
  throw sys::SystemError{ESTALE, "use", plan_.project.state_dir};
}

bool Turn::lock() {
  using boost::posix_time::ptime;
  lock_ = decltype(lock_){*mutex_, boost::interprocess::defer_lock};
  if (plan_.no_wait) {
    return lock_.try_lock();
  }
  const auto limit =
      plan_.bounded_wait ? plan_.settings.git_lock_wait.value : plan_.settings.queue_timeout.value;
  return lock_.timed_lock(limit.count() == 0 ? ptime{boost::posix_time::pos_infin}
                                             : boost::posix_time::microsec_clock::universal_time() +
                                                   boost::posix_time::milliseconds(limit.count()));
}

void Turn::enlist() {
  lane::Ticket& ticket = mutex_->ticket();
  if (!ticket.enlist_service() && ticket.gate_holder()) {
    say(command_line(*plan_.call, 60) + " is not listed in lane '" + plan_.project.name +
        "': " + gate_words(ticket));
  }
  additions_.note_place(std::string{lane::view(ticket.run_id())});
}

lane::TicketInfo Turn::info() {
  lane::TicketInfo info;
  info.tool = plan_.call->name;
  info.command = command_line(*plan_.call);
  place_.directory = sys::working_directory();
  if (const char* terminal = ::ttyname(2); terminal != nullptr) {
    place_.terminal = terminal;
  }
  info.directory = place_.directory;
  info.terminal = place_.terminal;
  info.agent = caller_agent();
  info.may_prompt = plan_.decision.cls == shims::Class::Editor;
  info.reads_input = plan_.decision.reads_input;
  info.until = plan_.limits_only ? std::string{} : plan_.until;
  info.priority = plan_.settings.priority.value;
  info.rejoin_key = rejoin_key_of(*plan_.call, place_.directory, info.priority);
  info.call_key = plan_.call_key;
  info.rejoin = plan_.settings.rejoin.value;
  std::memcpy(info.context.data(), &traits_, sizeof traits_);
  return info;
}

// Perhaps rm(1) is removing the whole repository and has just deleted the lane file: a new one now
// would make it fail on the directory.
void Turn::let_removal_pass() const {
  if (const int signal = ending_signal_within(signals_, milliseconds{100})) {
    process::die_of(signal);
  }
}

void Turn::drop() noexcept {
  (void)lock_.release();
  mutex_.reset();
}

void Turn::wait_for_index_lock() {
  if (plan_.decision.writes_index && !plan_.project.git_dir.empty() && !is_beside()) {
    leave_by(multicall::wait_for_index_lock(plan_.project.git_dir,
                                            plan_.settings.git_lock_wait.value, signals_));
  }
}

std::vector<int> Turn::descriptors() const {
  return table_ ? std::vector<int>{table_->fd(), place_.state.get()} : std::vector<int>{};
}

void Turn::tell_waiting(std::chrono::nanoseconds running) noexcept try {
  if (!mutex_ || running < kTellAfter || std::exchange(has_told_, true)) {
    return;
  }
  const auto entries = table_->entries(table_->header().high);
  if (std::ranges::find(entries, lane::State::Waiting, &lane::Entry::state) != entries.end()) {
    table_->ring();
  }
} catch (const std::exception&) {
  // The table cannot be read: the calls that wait find out themselves.
}

void Turn::name_tool(const sys::ProcessId& tool) noexcept {
  if (mutex_) {
    mutex_->ticket().set_tool(tool);
  }
}

void Turn::note_kept(const std::vector<process::KeptProcess>& kept) noexcept {
  add_kept(kept_, kept, run_id_);
}

// A call that has not yet executed its tool may still decide that it is nested, while it does not
// look like a lane call yet. So first the lane is marked, after which no call is nested any more;
// then we look again, and all calls that were nested before are recognised.
bool Turn::go_on_in_background(process::Supervisor& supervisor) noexcept {
  constexpr int kMostGuardians = 3;
  lane::Ticket* const own = ticket();
  if (own == nullptr || !supervisor.may_have_background() ||
      !own->go_on_in_background(kept_, sys::self_id())) {
    return false;
  }
  if (supervisor.has_background()) {
    std::vector<lane::Kept> all = kept_;
    add_kept(all, supervisor.outcome().kept, run_id_);
    for (int guardians = 0; guardians < kMostGuardians; ++guardians) {
      const auto guardian = supervisor.guardian_for_background();
      if (guardian && own->go_on_in_background(all, *guardian) && supervisor.leave_to_guardian()) {
        own->hand_over();
        (void)lock_.release();
        return true;
      }
    }
    supervisor.drop_background();
  }
  return false;
}

void Turn::close_record(const std::vector<process::KeptProcess>& kept) noexcept {
  if (mutex_) {
    note_kept(kept);
    mutex_->close_record(kept_);
  }
}

void Turn::free() noexcept {
  if (lock_.owns()) {
    lock_.unlock();
  } else if (mutex_) {
    mutex_->unlock();
  }
}

void Turn::free_unused() noexcept {
  if (mutex_) {
    mutex_->ticket().note_idle();
    free();
    drop();
  }
}

void Turn::leave_by(int signal) {
  if (signal != 0) {
    close_record({});
    free();
    process::die_of(signal);
  }
}

void add_kept(std::vector<lane::Kept>& records, const std::vector<process::KeptProcess>& kept,
              const std::string& run_id) {
  for (const process::KeptProcess& process : kept) {
    if (std::ranges::any_of(records, [&](const lane::Kept& known) {
          return known.pid == process.id.pid && known.start == process.id.start;
        })) {
      continue;  // left by an earlier command of the run, and found again by a guardian
    }
    lane::Kept record;
    record.pid = process.id.pid;
    record.start = process.id.start;
    record.boot = static_cast<std::uint32_t>(sys::boot_id());
    lane::set_text(record.run_id, run_id);
    lane::set_text(record.name, process.command);
    record.is_background = process.is_background ? 1 : 0;
    records.push_back(record);
  }
}

void TakeOver::begin(lane::Ticket& ticket) noexcept {
  if (!ticket.is_beside()) {
    return;
  }
  ticket_ = &ticket;
  watch_ = sys::lift(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (watch_.is_open()) {
    (void)::inotify_add_watch(watch_.get(), ticket.table().path().c_str(), IN_ATTRIB);
  }
}

void TakeOver::look(process::Judgement& judgement) noexcept {
  if (ticket_ == nullptr) {
    return;
  }
  alignas(inotify_event) std::array<char, 4096> events;
  while (watch_.is_open() && ::read(watch_.get(), events.data(), events.size()) > 0) {
  }
  if (ticket_->take_over()) {
    ticket_ = nullptr;
    watch_.reset();
  } else {
    judgement.next = std::min(judgement.next, kLookWithin);
  }
}

}  // namespace onelane::multicall
