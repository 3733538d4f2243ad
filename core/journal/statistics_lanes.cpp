#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "core/journal/statistics_runs.hpp"

namespace onelane::journal {
namespace {

/// Holders that one wait is compared with, the last before its end: more than wait in any lane.
constexpr std::size_t kMostHolders = 256;

std::int64_t end_of(const Run& run) {
  return run.started + run.held;
}

/// The runs that held one lane, in the order of their starts.
struct Holders {
  RunPointers runs;
  std::vector<std::int64_t> latest_end;  ///< Of a run and all before it.
};

std::map<std::uint32_t, Holders> holders_of(const Runs& runs) {
  std::map<std::uint32_t, Holders> lanes;
  for (const Run& run : runs) {
    if (!run.is_service && run.has_started()) {
      lanes[run.lane].runs.push_back(&run);
    }
  }
  for (auto& [lane, holders] : lanes) {
    std::ranges::stable_sort(holders.runs, {}, [](const Run* run) { return run->started; });
    std::int64_t latest = 0;
    for (const Run* run : holders.runs) {
      latest = std::max(latest, end_of(*run));
      holders.latest_end.push_back(latest);
    }
  }
  return lanes;
}

/// Calls visit(holder, ms) for each run that held the lane while `waiter` waited.
template <class Visit>
void visit_holders(const Holders& holders, const Run& waiter, const Visit& visit) {
  const auto behind = std::ranges::lower_bound(holders.runs, waiter.started, {},
                                               [](const Run* run) { return run->started; });
  auto i = static_cast<std::size_t>(behind - holders.runs.begin());
  for (std::size_t looked = 0; i-- > 0 && looked < kMostHolders; ++looked) {
    if (holders.latest_end[i] <= waiter.queued) {
      return;
    }
    const Run& holder = *holders.runs[i];
    const std::int64_t shared =
        std::min(end_of(holder), waiter.started) - std::max(holder.started, waiter.queued);
    if (shared > 0) {
      visit(holder, shared);
    }
  }
}

/// A run begins or ends in the lane as it would have been.
struct Turn {
  std::int64_t when;
  int runs;  ///< 1 or -1: ends sort before beginnings.
  std::int64_t kb;
};

void add_overlap_of(Overlap& out, std::vector<Turn>& turns) {
  std::ranges::sort(turns, {}, [](const Turn& turn) { return std::pair{turn.when, turn.runs}; });
  std::int64_t before = 0;
  std::int64_t runs = 0;
  std::int64_t kb = 0;
  for (const Turn& turn : turns) {
    out.avoided_ms += runs >= 2 ? turn.when - before : 0;
    before = turn.when;
    runs += turn.runs;
    kb += turn.kb;
    if (runs >= 2) {
      out.most_runs = std::max(out.most_runs, static_cast<std::uint64_t>(runs));
      out.most_kb = std::max(out.most_kb, static_cast<std::uint64_t>(kb));
    }
  }
}

}  // namespace

void add_pairs(Statistics& out, const Runs& runs, const std::vector<Kind>& kinds) {
  const auto lanes = holders_of(runs);
  std::unordered_map<std::uint64_t, WaitPair> pairs;
  for (const Run& waiter : runs) {
    const auto lane = lanes.find(waiter.lane);
    if (!waiter.counts || waiter.waited < kShortestWait || lane == lanes.end()) {
      continue;
    }
    visit_holders(lane->second, waiter, [&](const Run& holder, std::int64_t shared) {
      WaitPair& pair = pairs[std::uint64_t{waiter.kind} << 32U | holder.kind];
      ++pair.times;
      pair.waited_ms += shared;
    });
  }
  for (auto& [key, pair] : pairs) {
    pair.waiter = kinds[key >> 32U].name;
    pair.holder = kinds[key & 0xffffffffU].name;
    out.pairs.push_back(std::move(pair));
  }
  std::ranges::sort(out.pairs, [](const WaitPair& a, const WaitPair& b) {
    return std::tie(b.waited_ms, a.waiter, a.holder) < std::tie(a.waited_ms, b.waiter, b.holder);
  });
}

void add_overlap(Statistics& out, const RunPointers& counted) {
  std::map<std::uint32_t, std::vector<Turn>> lanes;
  for (const Run* run : counted) {
    if (!run->is_service && run->has_started() && run->held > 0) {
      std::vector<Turn>& turns = lanes[run->lane];
      turns.push_back({run->queued, 1, run->tree_kb});
      turns.push_back({run->queued + run->held, -1, -run->tree_kb});
    }
  }
  for (auto& [lane, turns] : lanes) {
    add_overlap_of(out.overlap, turns);
  }
}

}  // namespace onelane::journal
