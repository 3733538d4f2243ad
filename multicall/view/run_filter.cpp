#include "multicall/view/run_filter.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ctime>
#include <set>

#include "core/journal/journal.hpp"
#include "core/journal/record.hpp"
#include "core/journal/skim.hpp"
#include "core/journal/stored_line.hpp"
#include "core/sys/text.hpp"

namespace onelane::multicall {
namespace {

using journal::Reason;

constexpr std::array kStates{RunState::Queued, RunState::Running, RunState::Ok, RunState::Failed,
                             RunState::Killed};

constexpr std::string_view kEnded = R"("ended_wall_ms":)";
constexpr std::string_view kExitedWithZero = R"("code":0,)";  // `reason` always follows

const char* find_in(std::string_view text, std::string_view needle) noexcept {
  return static_cast<const char*>(::memmem(text.data(), text.size(), needle.data(), needle.size()));
}

/// A field with exactly this text, as the writer puts it into a line.
std::string field(std::string_view name, std::string_view text) {
  std::string out = "\"" + std::string{name} + "\":\"";
  sys::append_escaped(out, text, std::string::npos);
  return out + '"';
}

/// The longest part of `text` that is the same in a JSON string, and inside one argument.
std::string plain_part(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@";
  std::string_view longest;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find_first_not_of(kPlain));
    longest = part.size() > longest.size() ? part : longest;
    text.remove_prefix(std::min(text.size(), part.size() + 1));
  }
  return std::string{longest};
}

std::int64_t end_of(const journal::Record& record) {
  return std::max({record.ended_wall_ms, record.started_wall_ms, record.queued_wall_ms});
}

RunView listed_view_of(const journal::Skim& skim) {
  RunView run;
  journal::Record& record = run.record;
  record.id = skim.id;
  record.tool = skim.tool;
  record.branch = skim.branch;
  record.user = skim.user;
  record.agent = skim.agent;
  record.queued_wall_ms = skim.queued_wall_ms;
  record.waited_ms = skim.waited_ms;
  record.started_wall_ms = skim.started_wall_ms;
  record.ended_wall_ms = skim.ended_wall_ms;
  record.duration_ms = skim.duration_ms;
  record.joined = skim.joined;
  record.code = skim.code;
  record.signal = skim.signal;
  record.reason = skim.reason;
  record.peak_tree_kb = skim.peak_tree_kb;
  run.command = skim.command;
  return run;
}

/// Reads lines of the journal, each no further than it must.
class RecordReader {
 public:
  explicit RecordReader(const RunFilter& filter) : filter_{filter}, lines_{filter} {}

  /// Nothing for what does not match, or is no record.
  std::optional<RunView> read(std::string_view line) {
    const journal::Skim* skim = lines_.may_match(line) ? skimmer_.read(line) : nullptr;
    if (skim == nullptr) {
      return std::nullopt;
    }
    RunView run = listed_view_of(*skim);
    // What is looked for may stand behind the cut.
    const bool is_cut = !filter_.command.empty() && run.command.ends_with("…");
    if (!is_cut && !filter_.matches(run)) {
      return std::nullopt;
    }
    if (is_cut || skim->is_batch()) {
      run = view_of(journal::parse(line).value_or(journal::Record{}));
    }
    return filter_.matches(run) ? std::optional{std::move(run)} : std::nullopt;
  }

 private:
  const RunFilter& filter_;
  LineFilter lines_;
  journal::Skimmer skimmer_;
};

/// `line` is empty for a live run.
using Match = std::function<void(const RunView& run, std::string_view line)>;

void for_each_match(const LanesHere& lanes, const RunFilter& filter, std::size_t limit,
                    const Match& visit) {
  std::size_t left = limit;
  std::set<std::string, std::less<>> live;
  for (const RunView& run : live_views(lanes)) {
    if (left > 0 && filter.matches(run)) {
      --left;
      live.insert(run.record.id);
      visit(run, {});
    }
  }
  if (left == 0) {
    return;
  }
  RecordReader reader{filter};
  journal::for_each(lanes.project.state_dir, journal::Order::NewestFirst,
                    [&](std::string_view line) {
                      const auto run = reader.read(line);
                      if (run && !live.contains(run->record.id)) {
                        --left;
                        visit(*run, line);
                      }
                      return left > 0;
                    });
}

}  // namespace

bool is_status_word(std::string_view word) noexcept {
  return journal::reason_of(word).has_value() ||
         std::ranges::any_of(kStates, [&](RunState state) { return word_of(state) == word; });
}

bool RunFilter::matches(const RunView& run) const {
  const auto& record = run.record;
  const auto is_it = [&](const std::string& status) {
    return status == word_of(state_of(run)) ||
           (!run.live && status == journal::word_of(record.reason));
  };
  return (statuses.empty() || std::ranges::any_of(statuses, is_it)) &&
         (tool.empty() || record.tool == tool) && (branch.empty() || record.branch == branch) &&
         (user.empty() || record.user == user) && (agent.empty() || record.agent == agent) &&
         (command.empty() || run.command.find(command) != std::string::npos) &&
         (run.live || end_of(record) >= since_wall_ms);
}

LineFilter::LineFilter(const RunFilter& filter) : since_wall_ms_{filter.since_wall_ms} {
  const std::array<std::pair<std::string_view, const std::string*>, 4> fields{
      {{"tool", &filter.tool},
       {"branch", &filter.branch},
       {"user", &filter.user},
       {"agent", &filter.agent}}};
  for (const auto& [name, text] : fields) {
    if (!text->empty()) {
      needed_.push_back(field(name, *text));
    }
  }
  if (auto part = plain_part(filter.command); !part.empty()) {
    needed_.push_back(std::move(part));
  }
  if (filter.statuses.size() != 1) {
    return;
  }
  const std::string& status = filter.statuses.front();
  if (status == word_of(RunState::Ok)) {
    needed_.emplace_back(kExitedWithZero);
  } else if (status == word_of(RunState::Failed)) {
    forbidden_.emplace_back(kExitedWithZero);
  } else if (status == word_of(RunState::Killed)) {
    forbidden_.push_back(field("reason", journal::word_of(Reason::Exited)));
  } else {
    needed_.push_back(field("reason", status));  // none for a live one's word
  }
}

bool LineFilter::may_match(std::string_view line) const noexcept {
  const auto is_in = [&](const std::string& text) { return find_in(line, text) != nullptr; };
  if (std::ranges::any_of(forbidden_, is_in) || !std::ranges::all_of(needed_, is_in)) {
    return false;
  }
  const char* at = since_wall_ms_ > 0 ? find_in(line, kEnded) : nullptr;
  if (at == nullptr) {
    return true;
  }
  std::int64_t ended = since_wall_ms_;
  std::from_chars(at + kEnded.size(), line.data() + line.size(), ended);
  return ended >= since_wall_ms_;
}

void for_each_run(const LanesHere& lanes, const RunFilter& filter, std::size_t limit,
                  const std::function<void(const RunView& run)>& visit) {
  for_each_match(lanes, filter, limit,
                 [&](const RunView& run, std::string_view /*line*/) { visit(run); });
}

void for_each_row(const LanesHere& lanes, const RunFilter& filter, std::size_t limit,
                  const std::function<void(std::string_view row)>& visit) {
  for_each_match(lanes, filter, limit, [&](const RunView& run, std::string_view line) {
    if (line.empty()) {
      visit(json_text_of(run));
      return;
    }
    const bool is_whole = !run.command.ends_with("…") && !is_batch(run.record);
    const auto stored = is_whole ? journal::as_stored(line) : std::nullopt;
    visit(stored ? json_text_of(run, *stored)
                 : json_text_of(view_of(journal::parse(line).value_or(journal::Record{}))));
  });
}

}  // namespace onelane::multicall
