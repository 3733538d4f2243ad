#include "multicall/view/run_filter.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ctime>
#include <set>

#include "core/journal/journal.hpp"
#include "core/journal/record.hpp"
#include "core/sys/text.hpp"

namespace onelane::multicall {
namespace {

using journal::Reason;

constexpr std::array kStates{RunState::Queued, RunState::Running, RunState::Ok, RunState::Failed,
                             RunState::Killed};

constexpr std::string_view kEnded = R"("ended_wall_ms":)";
constexpr std::string_view kExitedWithZero = R"("code":0,)";  // `reason` always follows `code`

const char* find_in(std::string_view text, std::string_view needle) noexcept {
  return static_cast<const char*>(::memmem(text.data(), text.size(), needle.data(), needle.size()));
}

/// A field with exactly this text, as the journal's writer formats it.
std::string field(std::string_view name, std::string_view text) {
  std::string out = "\"" + std::string{name} + "\":\"";
  sys::append_escaped(out, text, std::string::npos);
  return out + '"';
}

/// The longest part of `text` that needs no escape in a JSON string and lies within one argument.
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

/// Reads the lines of the journal that match.
class RunReader {
 public:
  explicit RunReader(const RunFilter& filter) : filter_{filter}, lines_{filter} {}

  [[nodiscard]] std::string_view longest_part() const noexcept { return lines_.longest_part(); }

  /// Null if the line does not match or is no record; otherwise valid until the next call.
  const RunView* read(std::string_view line) {
    if (!lines_.may_match(line) || !reader_.read(line, run_.record)) {
      return nullptr;
    }
    run_.command = shown_command(run_.record);
    return filter_.matches(run_) ? &run_ : nullptr;
  }

 private:
  const RunFilter& filter_;
  LineFilter lines_;
  journal::LineReader reader_;
  RunView run_;
};

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
    needed_.push_back(field("reason", status));  // no record has the word of a live run
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

std::string_view LineFilter::longest_part() const noexcept {
  const auto longest = std::ranges::max_element(needed_, {}, &std::string::size);
  return longest == needed_.end() ? std::string_view{} : std::string_view{*longest};
}

void for_each_run(const LanesHere& lanes, const RunFilter& filter, std::size_t limit,
                  const std::function<void(const RunView& run)>& visit) {
  std::size_t left = limit;
  std::set<std::string, std::less<>> live;
  for (const RunView& run : live_views(lanes)) {
    if (left > 0 && filter.matches(run)) {
      --left;
      live.insert(run.record.id);
      visit(run);
    }
  }
  if (left == 0) {
    return;
  }
  RunReader reader{filter};
  const auto read_line = [&](std::string_view line) {
    const RunView* const run = reader.read(line);
    if (run != nullptr && !live.contains(run->record.id)) {
      --left;
      visit(*run);
    }
    return left > 0;
  };
  const std::string& directory = lanes.project.state_dir;
  if (const auto part = reader.longest_part(); filter.since_wall_ms == 0 && !part.empty()) {
    journal::for_each_with(directory, part, read_line);
  } else {
    journal::for_each_since(directory, filter.since_wall_ms, journal::Order::NewestFirst,
                            read_line);
  }
}

}  // namespace onelane::multicall
