#include "multicall/view/find_run.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <ctime>

#include "core/journal/journal.hpp"
#include "multicall/term/say.hpp"
#include "multicall/view/ended_run.hpp"

namespace onelane::multicall {
namespace {

constexpr std::size_t kIdLength = 11;
constexpr std::size_t kMostCandidates = 6;
constexpr std::time_t kSecondsToRecord = 10;

/// The newest record of each id with that prefix, up to kMostCandidates.
std::vector<journal::Record> records_of(const std::string& directory, std::string_view id) {
  std::vector<journal::Record> found;
  const std::string wanted = R"("id":")" + std::string{id};
  journal::for_each(directory, journal::Order::NewestFirst, [&](std::string_view line) {
    if (line.substr(0, 64).find(wanted) != std::string_view::npos) {
      auto record = journal::parse(line);
      const auto is_it = [&](const journal::Record& other) { return other.id == record->id; };
      if (record && record->id.starts_with(id) && std::ranges::none_of(found, is_it)) {
        found.push_back(std::move(*record));
      }
    }
    return found.size() < kMostCandidates;
  });
  return found;
}

bool may_begin_an_id(std::string_view text) {
  std::string whole{text};
  whole.resize(kIdLength, 'a');
  return !text.empty() && text.size() <= kIdLength && journal::is_run_id(whole);
}

/// A run that has left its lane and whose supervisor is about to write its record.
bool has_just_ended(const LanesHere& lanes, std::string_view id) {
  struct stat output {};
  const std::string path =
      log_directory(lanes.project, lanes.settings) + "/" + std::string{id} + ".out";
  return was_last(lanes, id) || (::stat(path.c_str(), &output) == 0 &&
                                 ::time(nullptr) - output.st_mtime < kSecondsToRecord);
}

}  // namespace

FoundRun find_run(const LanesHere& lanes, std::string_view id) {
  FoundRun found;
  if (!may_begin_an_id(id)) {
    return found;
  }
  for (RunView& run : live_views(lanes)) {
    if (run.record.id.starts_with(id)) {
      found.candidates.push_back(run.record.id);
      found.run = std::move(run);
    }
  }
  if (id.size() == kIdLength) {
    if (!found.run) {
      auto record = journal::find(lanes.project.state_dir, id);
      if (!record && has_just_ended(lanes, id)) {
        record = record_of_ended(lanes, std::string{id}, std::nullopt);
      }
      if (record) {
        found.run = view_of(std::move(*record));
      }
    }
    found.candidates.clear();
    return found;
  }
  for (journal::Record& record : records_of(lanes.project.state_dir, id)) {
    if (std::ranges::find(found.candidates, record.id) == found.candidates.end()) {
      found.candidates.push_back(record.id);
      found.run = view_of(std::move(record));
    }
  }
  if (found.candidates.size() > 1) {
    found.run.reset();
  } else {
    found.candidates.clear();
  }
  return found;
}

std::optional<RunView> find_run_or_say(const LanesHere& lanes, std::string_view id) {
  if (lanes.unreadable) {
    say_always(lanes.unreadable->what());
  }
  FoundRun found = find_run(lanes, id);
  if (found.run) {
    return std::move(found.run);
  }
  const std::string name = printable(id, 60);
  if (found.candidates.empty()) {
    say_always("no run " + name + " here (see `onelane runs`)");
    return std::nullopt;
  }
  std::string list;
  for (const std::string& candidate : found.candidates) {
    list += (list.empty() ? "" : ", ") + printable(candidate, 60);
  }
  say_always("several runs begin with " + name + ": " + list +
             (found.candidates.size() >= kMostCandidates ? " …" : ""));
  return std::nullopt;
}

}  // namespace onelane::multicall
