#include "core/queue/log.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "core/sys/hash.hpp"

namespace onelane::queue {
namespace {

/// The first lines of a text up to its first commit line.
struct Change {
  std::string_view records;
  std::optional<Commit> commit;  ///< Nothing when its line is wrong.
  std::size_t size = 0;          ///< With the commit line; 0 when there is none.

  [[nodiscard]] bool is_intact() const { return commit && commit->hash == sys::fnv1a(records); }
};

Change first_change(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) {
      break;
    }
    const std::string_view line = text.substr(at, end + 1 - at);
    if (line.starts_with(kCommitStart)) {
      return {text.substr(0, at), parse_commit(line), end + 1};
    }
    at = end + 1;
  }
  return {};
}

/// True when an intact change that was promised begins in `text` behind its first byte; `text` is
/// what the file holds from offset `from` on. Then its first byte is not in the torn end of a file.
bool has_later_promise(std::string_view text, std::uint64_t from) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const auto commit = parse_commit(text.substr(at, end - at));
    if (commit && commit->is_promise && commit->at > from && commit->at <= from + at) {
      const auto begin = static_cast<std::size_t>(commit->at - from);
      if (commit->hash == sys::fnv1a(text.substr(begin, at - begin))) {
        return true;
      }
    }
    at = end;
  }
  return false;
}

}  // namespace

LogEnd LogReader::read(std::string_view text, std::uint64_t boot, const Take& take) {
  while (!text.empty()) {
    const Change change = first_change(text);
    if (!change.is_intact() || change.commit->at != end) {
      // A commit line without its records: lost with the page cache at the end of another boot.
      const bool was_written = change.commit && change.commit->boot == boot;
      return end == 0 || was_written || has_later_promise(text, end) ? LogEnd::Damaged
                                                                     : LogEnd::Torn;
    }
    for (std::size_t at = 0; at < change.records.size();) {
      const std::size_t size = change.records.find('\n', at) + 1 - at;
      auto record = parse_record(change.records.substr(at, size));
      const bool is_head = record && std::holds_alternative<HeadRecord>(*record);
      const bool is_first = end + at == 0;
      if (!record || is_head != is_first || !take(std::move(*record), end + at, size)) {
        return LogEnd::Damaged;
      }
      at += size;
    }
    last = *change.commit;
    end += change.size;
    text.remove_prefix(change.size);
  }
  return end == 0 ? LogEnd::Damaged : LogEnd::Whole;
}

LogEnd Log::read(std::string_view text, std::uint64_t boot) {
  return reader_.read(text, boot, [this](Record&& record, std::uint64_t, std::size_t) {
    return std::visit([this](auto&& one) { return take(std::forward<decltype(one)>(one)); },
                      std::move(record));
  });
}

bool Log::take(HeadRecord&& head) {
  queue_ = std::move(head.queue);
  imported_ = std::move(head.imported);
  return true;
}

bool Log::take(EnvironmentRecord&& record) {
  environments_.push_back(std::make_shared<Environment>(std::move(record.environment)));
  return true;
}

bool Log::take(EntryRecord&& record) {
  if (!ids_.insert(record.entry.id).second ||
      (record.environment && *record.environment >= environments_.size())) {
    return false;
  }
  queue_.next_id = std::max(queue_.next_id, record.entry.id + 1);
  if (record.environment) {
    record.entry.environment = environments_[*record.environment];
  }
  queue_.entries.push_back(std::move(record.entry));
  return true;
}

bool Log::take(BeginRecord&& begin) {
  Entry* entry = find_near(begin.id);
  if (entry == nullptr) {
    return false;
  }
  entry->state = State::Running;
  entry->started_wall_ms = begin.started_wall_ms;
  entry->queue_start = std::move(begin.queue_start);
  return true;
}

bool Log::take(EndRecord&& end) {
  Entry* entry = find_near(end.id);
  if (entry == nullptr) {
    return false;
  }
  entry->run = std::move(end.run);
  finish(*entry, end.state, end.code, end.ended_wall_ms);
  return true;
}

/// Entries begin and end in their order.
Entry* Log::find_near(std::uint64_t id) {
  for (std::size_t tries = queue_.entries.size(); tries > 0; --tries, ++near_) {
    near_ = near_ < queue_.entries.size() ? near_ : 0;
    if (queue_.entries[near_].id == id) {
      return &queue_.entries[near_];
    }
  }
  return nullptr;
}

std::string checkpoint(const Queue& queue, const std::string& imported, std::uint64_t boot) {
  Commit commit;
  commit.is_promise = true;
  commit.boot = boot;
  commit.next_id = queue.next_id;
  commit.entries = queue.entries.size();
  commit.queued = count(queue, State::Queued);
  commit.is_closed = queue.is_closed;
  commit.is_stopping = queue.is_stopping;
  commit.has_starter = queue.starter.has_value();
  std::string text = to_line(queue, imported);
  std::map<Environment, std::size_t> written;
  for (const Entry& entry : queue.entries) {
    std::optional<std::size_t> environment;
    if (entry.environment) {
      const auto [at, is_new] = written.try_emplace(*entry.environment, written.size());
      if (is_new) {
        commit.environment_at = text.size();
        text += to_line(*entry.environment);
        commit.environment_size = text.size() - commit.environment_at;
      }
      environment = at->second;
    }
    text += to_line(entry, environment);
  }
  commit.environments = written.size();
  return change_text(std::move(text), commit);
}

std::string change_text(std::string records, Commit commit) {
  commit.hash = sys::fnv1a(records);
  return std::move(records) + to_line(commit);
}

}  // namespace onelane::queue
