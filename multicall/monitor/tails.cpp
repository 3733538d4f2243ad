#include "multicall/monitor/tails.hpp"

#include <algorithm>
#include <string_view>

#include "core/journal/journal.hpp"

namespace onelane::multicall::monitor {
namespace {

constexpr std::string_view kWarning = " WARN ";

}  // namespace

JournalTail::JournalTail(std::string directory) : directory_{std::move(directory)} {
  journal::for_each(directory_, journal::Order::NewestFirst, [this](std::string_view line) {
    last_ = line;
    return false;
  });
}

std::vector<journal::Record> JournalTail::read() {
  std::vector<journal::Record> records;
  std::string newest;
  journal::for_each(directory_, journal::Order::NewestFirst, [&](std::string_view line) {
    if (line == last_) {
      return false;
    }
    if (newest.empty()) {
      newest = line;
    }
    if (auto record = journal::parse(line)) {
      records.push_back(std::move(*record));
    }
    return true;
  });
  if (!newest.empty()) {
    last_ = std::move(newest);
  }
  std::ranges::reverse(records);
  return records;
}

std::vector<std::string> LogTails::read(const std::string& run) {
  std::vector<std::string> out;
  for (const LogLine& line : tail_of(run).next()) {
    const std::string_view text{line.text};
    if (!line.time.empty() && text.starts_with(line.time) &&
        text.substr(line.time.size()).starts_with(kWarning)) {
      out.emplace_back(text.substr(line.time.size() + kWarning.size()));
    }
  }
  return out;
}

}  // namespace onelane::multicall::monitor
