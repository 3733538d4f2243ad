#include "core/lane/pipeline.hpp"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "core/sys/process.hpp"
#include "core/sys/streams.hpp"

namespace onelane::lane {
namespace {

/// A run of the current turn: the holder, or a run beside it.
struct Member {
  Entry entry;
  bool reads_input = false;
};

std::optional<Member> member_at(const Table& table, const Entry& entry, std::size_t slot) {
  if (entry.boot != static_cast<std::uint32_t>(sys::boot_id()) ||
      entry.pid_namespace != sys::pid_namespace() || entry.supervisor() == sys::self_id() ||
      !sys::exists(entry.supervisor()) || !table.is_alive(slot)) {
    return std::nullopt;
  }
  const auto detail = table.detail(slot, entry.sequence);
  return Member{entry, detail && detail->reads_input != 0};
}

/// The runs of the turn, holder first; empty when it may not start or is not visible.
std::vector<Member> turn_of(const Table& table) {
  std::vector<Member> out;
  const Header header = table.header();
  const auto entries = table.entries(header.high);
  const auto current = current_slot(entries);
  if (!current || (entries[*current].state == State::Granted && header.held != 0)) {
    return out;
  }
  auto holder = member_at(table, entries[*current], *current);
  if (!holder) {
    return out;
  }
  out.push_back(std::move(*holder));
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    if (slot != *current && entries[slot].state == State::Beside) {
      if (auto beside = member_at(table, entries[slot], slot)) {
        out.push_back(std::move(*beside));
      }
    }
  }
  return out;
}

/// Which processes belong to which side.
struct Sides {
  std::vector<pid_t> caller;
  std::vector<pid_t> holder;
  std::vector<pid_t> started;       ///< Those of a side that count as sys::Flow::Role::Started.
  std::vector<pid_t> above_caller;  ///< Ancestors of the caller outside its side.
  std::vector<pid_t> above_holder;
  pid_t root = 0;  ///< The first common ancestor; 0 when none is visible.
};

/// A process and its ancestors, nearest first.
std::vector<sys::ProcessStat> line_of(pid_t pid) {
  std::vector<sys::ProcessStat> out = sys::ancestry_of(pid).chain;
  if (const auto stat = sys::read_stat(pid)) {
    out.insert(out.begin(), *stat);
  }
  return out;
}

void add_pids(std::span<const sys::ProcessStat> line, std::vector<pid_t>& out) {
  std::ranges::transform(line, std::back_inserter(out),
                         [](const auto& stat) { return stat.id.pid; });
}

/// True when the root, at index `root` of `line`, has started what is below it. When the last
/// process below the root is in another session, it either lost its parent and was adopted by the
/// root (init, say), or is a program of its own; then its ancestors may be an agent that talks to
/// both sides.
bool reaches(std::span<const sys::ProcessStat> line, std::size_t root) {
  return root > 0 && root < line.size() && line[root - 1].session == line[root].session;
}

/// True when one side is a call directly below pid 1, which may have started it (the shell of a
/// container) or adopted it, and the other is deeper. In a container pid 1 is in the session of all
/// others, so that `reaches` cannot tell.
bool may_be_adopted(pid_t root, std::size_t at_caller, std::size_t at_holder) {
  return root == 1 && std::min(at_caller, at_holder) == 1 && at_caller != at_holder;
}

/// Leaves out the descendants of the holder, which are the most expensive to find.
Sides sides_of(pid_t supervisor) {
  Sides sides;
  const auto caller = line_of(::getpid());
  const auto holder = line_of(supervisor);
  const auto split =
      std::ranges::find_first_of(caller, holder, {}, &sys::ProcessStat::id, &sys::ProcessStat::id);
  auto at_caller = static_cast<std::size_t>(split - caller.begin());
  auto at_holder = holder.size();
  if (split != caller.end()) {
    // The caller may be above the holder itself: a shell that runs its last command in its own
    // place (zsh) keeps the other parts as children.
    at_caller += at_caller == 0 ? 1 : 0;
    const auto end = at_caller < caller.size()
                         ? std::ranges::find(holder, caller[at_caller].id, &sys::ProcessStat::id)
                         : holder.end();
    at_holder = static_cast<std::size_t>(end - holder.begin());
    sides.root = end != holder.end() ? end->id.pid : 0;
  }
  const bool is_whole = reaches(caller, at_caller) && reaches(holder, at_holder);
  at_caller = is_whole ? at_caller : std::min<std::size_t>(1, caller.size());
  at_holder = is_whole ? at_holder : std::min<std::size_t>(1, holder.size());
  add_pids(std::span{caller}.first(at_caller), sides.caller);
  add_pids(std::span{caller}.subspan(at_caller), sides.above_caller);
  add_pids(std::span{holder}.first(at_holder), sides.holder);
  add_pids(std::span{holder}.subspan(at_holder), sides.above_holder);
  if (is_whole && may_be_adopted(sides.root, at_caller, at_holder)) {
    const auto& deeper = at_caller > at_holder ? sides.caller : sides.holder;
    sides.started.assign(deeper.begin() + 1, deeper.end());
  }
  return sides;
}

/// The search for one run of the turn, which is called the holder here.
class PipelineSearch {
 public:
  PipelineSearch(const Member& holder, bool reads_input, PipelineLook look)
      : holder_{holder},
        asks_feeder_{reads_input && look == PipelineLook::Later},
        looks_between_{look != PipelineLook::Near},
        sides_{sides_of(holder.entry.pid)} {}

  bool run() {
    add(sides_.started, sys::Flow::Role::Started);
    add(sides_.caller, sys::Flow::Role::Part);
    const bool has_ends = flow_.any_ends(sides_.caller);
    if (!has_ends && !holder_.reads_input) {
      return false;
    }
    // In this order: a supervisor closes its ends once its tool has them.
    add(sides_.holder, sys::Flow::Role::Part);
    for (const sys::ProcessStat& stat : sys::descendants_of(holder_.entry.pid)) {
      sides_.holder.push_back(stat.id.pid);
      flow_.add(stat.id.pid);
    }
    add(sides_.above_caller, sys::Flow::Role::Witness);
    add(sides_.above_holder, sys::Flow::Role::Witness);
    return (has_ends && flow_.any_ends(sides_.holder) && flows()) ||
           (holder_.reads_input && feeds_holder()) || (asks_feeder_ && is_fed_beside_holder());
  }

 private:
  void add(const std::vector<pid_t>& pids, sys::Flow::Role role) {
    for (const pid_t pid : pids) {
      flow_.add(pid, role);
    }
  }

  [[nodiscard]] bool leads() const {
    return flow_.leads(sides_.caller, sides_.holder) || flow_.leads(sides_.holder, sides_.caller);
  }

  bool flows() {
    if (leads()) {
      return true;
    }
    if (sides_.root == 0 || !looks_between_) {
      return false;
    }
    for (const sys::ProcessStat& stat : sys::descendants_of(sides_.root)) {
      flow_.add(stat.id.pid);
    }
    return leads();
  }

  /// Before its tool has started, the holder itself has the input.
  [[nodiscard]] bool feeds_holder() const {
    const auto feeds = [&](pid_t writer) {
      return std::ranges::any_of(sides_.holder,
                                 [&](pid_t reader) { return flow_.feeds(writer, reader); });
    };
    return std::ranges::any_of(sides_.caller, feeds) ||
           std::ranges::any_of(sides_.above_caller, feeds);
  }

  [[nodiscard]] bool is_fed_beside_holder() const {
    const auto feeds = [&](pid_t writer) { return flow_.feeds(writer, ::getpid()); };
    return std::ranges::any_of(sides_.holder, feeds) ||
           std::ranges::any_of(sides_.above_holder, feeds);
  }

  const Member& holder_;
  const bool asks_feeder_;
  const bool looks_between_;
  Sides sides_;
  sys::Flow flow_;
};

}  // namespace

std::optional<Entry> find_pipeline(const Table& table, bool reads_input, PipelineLook look) {
  const auto turn = turn_of(table);
  const auto joins = [&](const Member& member) {
    return PipelineSearch{member, reads_input, look}.run();
  };
  return std::ranges::any_of(turn, joins) ? std::optional{turn.front().entry} : std::nullopt;
}

}  // namespace onelane::lane
