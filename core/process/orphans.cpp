#include "core/process/orphans.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <unordered_set>

#include "core/sys/clock.hpp"
#include "core/sys/run_id.hpp"

namespace onelane::process {
namespace {

/// A marker appears with an exec, so a process between fork and exec, or in the middle of exec,
/// shows none yet: two looks some time apart count, and one more from time to time.
constexpr int kLooksEnough = 2;
constexpr std::chrono::milliseconds kBetweenLooks{500};
constexpr std::uint64_t kScansToForget = 60;

constexpr int kDeepest = 64;

std::vector<std::string> split(std::string_view held) {
  std::vector<std::string> out;
  sys::for_each_run(held, [&](std::string_view id) { out.emplace_back(id); });
  return out;
}

}  // namespace

void OrphanWatch::read_marker(pid_t pid, Seen& seen) {
  ++reads_;
  const auto now = sys::monotonic_time();
  if (seen.looks == 0 || now - seen.looked >= kBetweenLooks) {
    ++seen.looks;
    seen.looked = now;
  }
  const auto held = sys::initial_environment(pid, "ONELANE_HELD");
  if (!held || held->empty()) {
    return;
  }
  const auto executor = sys::initial_environment(pid, "SEQUENTIAL_EXECUTOR_PID");
  const auto stat = sys::read_stat(pid);
  if (stat) {
    seen.id = stat->id;
    seen.executor = executor ? static_cast<pid_t>(std::strtol(executor->c_str(), nullptr, 10)) : 0;
    seen.runs = split(*held);
    seen.is_marked = !seen.runs.empty();
  }
}

void OrphanWatch::list() {
  ++scans_;
  std::unordered_set<pid_t> waiting;
  if (rules_.waiting && rules_.is_onelane && !rules_.whole_tree) {
    for (const pid_t pid : rules_.waiting()) {
      waiting.insert(pid);
    }
  }
  for (const sys::ProcEntry& listed : sys::listed_processes()) {
    Seen& seen = seen_[listed.pid];
    if (seen.inode != listed.inode) {
      seen = Seen{};
      seen.inode = listed.inode;
    }
    seen.scan = scans_;
    const bool again = (scans_ + static_cast<std::uint64_t>(listed.pid)) % kScansToForget == 0;
    if (seen.runs.empty() && (seen.looks < kLooksEnough || again) &&
        !(waiting.contains(listed.pid) && rules_.is_onelane(listed.pid))) {
      read_marker(listed.pid, seen);
    }
  }
  std::erase_if(seen_, [this](const auto& entry) { return entry.second.scan != scans_; });
}

/// Judges the processes of one scan.
class OrphanJudge {
 public:
  explicit OrphanJudge(const OrphanWatch& watch)
      : watch_{watch},
        rules_{watch.rules_},
        judge_{{rules_.is_onelane, {}, {}}},
        boot_{static_cast<std::uint32_t>(sys::boot_id())} {
    if (rules_.live_runs) {
      for (std::string& id : rules_.live_runs()) {
        live_.insert(std::move(id));
      }
    }
    for (WrittenDown& process :
         rules_.written_down ? rules_.written_down() : std::vector<WrittenDown>{}) {
      const pid_t pid = process.id.pid;
      written_.insert_or_assign(pid, std::move(process));
    }
  }

  OrphanScan run() {
    for (const auto& [pid, seen] : watch_.seen_) {
      if (is_candidate(seen)) {
        (void)judge(pid, 0);
      }
    }
    for (const auto& [pid, process] : written_) {
      if (is_proven(&process)) {
        (void)judge(pid, 0);
      }
    }
    for (std::size_t next = 0; next < out_.orphans.size(); ++next) {
      for (const auto& stat : sys::descendants_of(out_.orphans[next].stat.id.pid)) {
        stats_.try_emplace(stat.id.pid, stat);
        (void)judge(stat.id.pid, 0);
      }
    }
    return std::move(out_);
  }

 private:
  enum class Verdict { Foreign, Live, Undecided, Kept, Orphan };

  const std::optional<sys::ProcessStat>& stat_of(pid_t pid) {
    const auto [it, is_new] = stats_.try_emplace(pid);
    if (is_new) {
      it->second = sys::read_stat(pid);
    }
    return it->second;
  }

  [[nodiscard]] const OrphanWatch::Seen* seen_of(const sys::ProcessId& id) const {
    const auto it = watch_.seen_.find(id.pid);
    return it != watch_.seen_.end() && it->second.id == id ? &it->second : nullptr;
  }

  [[nodiscard]] bool is_live(const OrphanWatch::Seen& seen) const {
    return std::ranges::any_of(seen.runs, [&](const auto& id) { return live_.contains(id); });
  }

  /// The innermost run that is wanted; empty for none.
  [[nodiscard]] std::string_view wanted_of(const OrphanWatch::Seen& seen) const {
    const auto wanted = std::find_if(seen.runs.rbegin(), seen.runs.rend(), [&](const auto& id) {
      return !rules_.is_wanted || rules_.is_wanted(id);
    });
    return wanted == seen.runs.rend() ? std::string_view{} : *wanted;
  }

  [[nodiscard]] bool is_candidate(const OrphanWatch::Seen& seen) const {
    return !seen.runs.empty() && !is_live(seen) && !wanted_of(seen).empty();
  }

  [[nodiscard]] const WrittenDown* written_of(const sys::ProcessId& id) const {
    const auto it = written_.find(id.pid);
    return it != written_.end() && it->second.id == id ? &it->second : nullptr;
  }

  /// A wanted process that needs no marker.
  [[nodiscard]] bool is_proven(const WrittenDown* process) const {
    return process != nullptr && process->is_proof && !live_.contains(process->run_id) &&
           (!rules_.is_wanted || rules_.is_wanted(process->run_id));
  }

  Verdict judge(pid_t pid, int depth) {
    if (const auto known = verdicts_.find(pid); known != verdicts_.end()) {
      return known->second;
    }
    const auto stat = stat_of(pid);
    if (!stat || depth > kDeepest) {
      return Verdict::Undecided;
    }
    const Verdict verdict = judge(*stat, depth);
    verdicts_.emplace(pid, verdict);
    return verdict;
  }

  Verdict judge(const sys::ProcessStat& stat, int depth) {
    if (!rules_.whole_tree && rules_.is_onelane && rules_.is_onelane(stat.id.pid)) {
      return Verdict::Live;
    }
    const OrphanWatch::Seen* seen = seen_of(stat.id);
    const Verdict above = judge_above(stat, depth);
    if (above == Verdict::Live || above == Verdict::Kept || above == Verdict::Undecided) {
      return above;
    }
    if (seen != nullptr && (is_live(*seen) || has_supervisor_above(stat, seen->executor))) {
      return Verdict::Live;
    }
    const WrittenDown* const written = written_of(stat.id);
    const bool is_marked = seen != nullptr && is_candidate(*seen);
    if (above != Verdict::Orphan && !is_marked && !is_proven(written)) {
      return written != nullptr ? Verdict::Kept : Verdict::Foreign;
    }
    const std::string run_id{is_marked            ? wanted_of(*seen)
                             : is_proven(written) ? std::string_view{written->run_id}
                                                  : run_above(stat)};
    return sort(stat, run_id, written);
  }

  /// Judges the ancestors of `stat`.
  Verdict judge_above(const sys::ProcessStat& stat, int depth) {
    if (stat.parent == 0) {
      // The top of our namespace: if it carries an id, it came from a run outside.
      const OrphanWatch::Seen* seen = seen_of(stat.id);
      return seen != nullptr && is_candidate(*seen) ? Verdict::Live : Verdict::Foreign;
    }
    if (stat.parent == 1 && !stat_of(1)) {
      return Verdict::Foreign;  // /proc mounted with hidepid
    }
    return judge(stat.parent, depth + 1);
  }

  bool has_supervisor_above(const sys::ProcessStat& stat, pid_t supervisor) {
    pid_t above = stat.parent;
    for (int level = 0; level < kDeepest && above > 0; ++level) {
      if (above == supervisor) {
        return true;
      }
      const auto& next = stat_of(above);
      above = next ? next->parent : 0;
    }
    return false;
  }

  Verdict sort(const sys::ProcessStat& stat, const std::string& run_id,
               const WrittenDown* written) {
    const auto traits = rules_.traits ? rules_.traits(run_id) : std::nullopt;
    const RunTraits known = traits.value_or(RunTraits{.session = -1});
    Leftover sorted = sort_leftover(stat, known, rules_.keep);
    if (sorted == Leftover::Gone) {
      return Verdict::Undecided;
    }
    const Target target = target_of(stat, run_id, written);
    const Spared spared = judge_.judge(target);
    switch (spared) {
      case Spared::No:
      case Spared::Kept:
      case Spared::Ours:
        break;
      case Spared::Gone:
        return Verdict::Undecided;
      case Spared::Supervised:
        return Verdict::Live;
      default:
        return Verdict::Foreign;
    }
    if (sorted == Leftover::Straggler &&
        written != nullptr) {  // files it has opened since do not tie it to the run
      sorted = stat.session != known.session ? Leftover::Detached : Leftover::Loose;
    }
    if (!is_spared(sorted, rules_.occasion)) {
      if (spared == Spared::Ours) {
        if (sorted != Leftover::Straggler) {
          out_.kept.push_back({stat, run_id, sorted});
        }
        return Verdict::Kept;  // with everything below it: the rest of our pipeline
      }
      run_of_[stat.id.pid] = run_id;
      root_of_[stat.id.pid] = target.as == Target::As::Below ? target.root : stat.id;
      out_.orphans.push_back({stat, run_id, sorted});
      return Verdict::Orphan;
    }
    out_.kept.push_back({stat, run_id, sorted});
    return Verdict::Kept;
  }

  [[nodiscard]] Target target_of(const sys::ProcessStat& stat, const std::string& run_id,
                                 const WrittenDown* written) const {
    Target target;
    target.id = stat.id;
    target.boot = boot_;
    target.run_id = run_id;
    target.uid = rules_.owner ? rules_.owner(run_id) : std::nullopt;
    const auto above = root_of_.find(stat.parent);
    const OrphanWatch::Seen* seen = seen_of(stat.id);
    if (seen != nullptr && is_candidate(*seen)) {
      target.as = seen->is_marked ? Target::As::Marked : Target::As::Named;
    } else if (above != root_of_.end()) {
      target.as = Target::As::Below;
      target.root = above->second;
    } else if (is_proven(written)) {
      target.as = Target::As::Named;
    }
    return target;
  }

  [[nodiscard]] std::string_view run_above(const sys::ProcessStat& stat) const {
    const auto it = run_of_.find(stat.parent);
    return it == run_of_.end() ? std::string_view{} : it->second;
  }

  const OrphanWatch& watch_;
  const OrphanRules& rules_;
  SignalJudge judge_;
  const std::uint32_t boot_;
  std::unordered_set<std::string> live_;
  std::unordered_map<pid_t, WrittenDown> written_;
  std::unordered_map<pid_t, std::optional<sys::ProcessStat>> stats_;
  std::unordered_map<pid_t, Verdict> verdicts_;
  std::unordered_map<pid_t, std::string> run_of_;
  std::unordered_map<pid_t, sys::ProcessId> root_of_;  ///< For an orphan: Target::root, or itself.
  OrphanScan out_;
};

OrphanScan OrphanWatch::scan() {
  list();
  OrphanScan out = OrphanJudge{*this}.run();
  for (const Orphan& orphan : out.orphans) {
    const auto it = seen_.find(orphan.stat.id.pid);
    if (it != seen_.end() && it->second.runs.empty()) {
      it->second.id = orphan.stat.id;
      it->second.runs = {orphan.run_id};
    }
  }
  const auto by_age = [](const Orphan& orphan) {
    return std::pair{orphan.stat.id.start, orphan.stat.id.pid};
  };
  std::ranges::sort(out.orphans, {}, by_age);
  std::ranges::sort(out.kept, {}, by_age);
  return out;
}

Ended end_orphans(OrphanWatch& watch, std::span<const std::string> runs,
                  std::chrono::milliseconds grace) {
  Ending ending;
  ending.grace = grace;
  ending.members = [&] {
    std::vector<sys::ProcessStat> out;
    for (const Orphan& orphan : watch.scan().orphans) {
      if (std::ranges::find(runs, orphan.run_id) != runs.end()) {
        out.push_back(orphan.stat);
      }
    }
    return out;
  };
  ending.wait = [](std::chrono::milliseconds pause) {
    const timespec nap{pause.count() / 1000, (pause.count() % 1000) * 1'000'000};
    ::nanosleep(&nap, nullptr);
    return true;
  };
  return end_members(ending);
}

}  // namespace onelane::process
