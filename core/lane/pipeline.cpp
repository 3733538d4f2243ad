#include "core/lane/pipeline.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/sys/process.hpp"
#include "core/sys/streams.hpp"

namespace onelane::lane {
namespace {

struct Holder {
  Entry entry;
  bool reads_input = false;
};

std::optional<Holder> holder_of(const Table& table) {
  const Header header = table.header();
  const auto entries = table.entries(header.high);
  const auto current = current_slot(entries);
  if (!current) {
    return std::nullopt;
  }
  const Entry& entry = entries[*current];
  const bool may_not_start = entry.state == State::Granted && header.held != 0;
  if (may_not_start || entry.boot != static_cast<std::uint32_t>(sys::boot_id()) ||
      entry.pid_namespace != sys::pid_namespace() || entry.supervisor() == sys::self_id() ||
      !sys::exists(entry.supervisor()) || !table.is_alive(*current)) {
    return std::nullopt;
  }
  const auto detail = table.detail(*current, entry.sequence);
  return Holder{entry, detail && detail->reads_input != 0};
}

/// Who belongs to which side.
struct Sides {
  std::vector<pid_t> caller;
  std::vector<pid_t> holder;
  std::vector<pid_t> above_both;  ///< Nearest first; empty where /proc does not tell.
};

std::vector<pid_t> line_of(pid_t pid) {
  std::vector<pid_t> out{pid};
  for (const sys::ProcessStat& stat : sys::ancestry_of(pid).chain) {
    out.push_back(stat.id.pid);
  }
  return out;
}

/// Without the descendants of the holder: they cost most to find.
Sides sides_of(pid_t supervisor) {
  Sides sides{line_of(::getpid()), line_of(supervisor), {}};
  auto split = std::ranges::find_first_of(sides.caller, sides.holder);
  if (split == sides.caller.end()) {
    return sides;
  }
  sides.holder.erase(std::ranges::find(sides.holder, *split), sides.holder.end());
  // The caller may be above the holder itself: a shell that runs its last command in its own place
  // (zsh) leaves it the other parts as children.
  split += split == sides.caller.begin() ? 1 : 0;
  sides.above_both.assign(split, sides.caller.end());
  sides.caller.erase(split, sides.caller.end());
  return sides;
}

/// The answer for one holder.
class PipelineSearch {
 public:
  PipelineSearch(const Holder& holder, bool reads_input, PipelineLook look)
      : holder_{holder},
        asks_feeder_{reads_input && look == PipelineLook::Later},
        sides_{sides_of(holder.entry.pid)} {}

  bool run() {
    add(sides_.caller, sys::Flow::Role::Part);
    const bool has_ends = flow_.any_ends(sides_.caller);
    if (!has_ends && !holder_.reads_input) {
      return false;
    }
    // In this order: a supervisor gives its ends up once its tool has them.
    add(sides_.holder, sys::Flow::Role::Part);
    for (const sys::ProcessStat& stat : sys::descendants_of(holder_.entry.pid)) {
      sides_.holder.push_back(stat.id.pid);
      flow_.add(stat.id.pid);
    }
    add(sides_.above_both, sys::Flow::Role::Witness);
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
    if (sides_.above_both.empty()) {
      return false;
    }
    for (const sys::ProcessStat& stat : sys::descendants_of(sides_.above_both.front())) {
      flow_.add(stat.id.pid);
    }
    return leads();
  }

  /// The holder itself has the input until its tool is there.
  [[nodiscard]] bool feeds_holder() const {
    const auto feeds = [&](pid_t writer) {
      return std::ranges::any_of(sides_.holder,
                                 [&](pid_t reader) { return flow_.feeds(writer, reader); });
    };
    return std::ranges::any_of(sides_.caller, feeds) ||
           std::ranges::any_of(sides_.above_both, feeds);
  }

  [[nodiscard]] bool is_fed_beside_holder() const {
    const auto feeds = [&](pid_t writer) { return flow_.feeds(writer, ::getpid()); };
    return std::ranges::any_of(sides_.holder, feeds) ||
           std::ranges::any_of(sides_.above_both, feeds);
  }

  const Holder& holder_;
  const bool asks_feeder_;
  Sides sides_;
  sys::Flow flow_;
};

}  // namespace

std::optional<Entry> find_pipeline(const Table& table, bool reads_input, PipelineLook look) {
  const auto holder = holder_of(table);
  return holder && PipelineSearch{*holder, reads_input, look}.run() ? std::optional{holder->entry}
                                                                    : std::nullopt;
}

}  // namespace onelane::lane
