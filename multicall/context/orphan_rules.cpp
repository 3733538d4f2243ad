#include "multicall/context/orphan_rules.hpp"

#include <grp.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/journal/journal.hpp"
#include "core/lane/nesting.hpp"
#include "core/sys/text.hpp"
#include "core/tool/find.hpp"
#include "multicall/context/keep.hpp"

namespace onelane::multicall {
namespace {

bool is_in(const lane::Table& table, std::string_view run_id) {
  const lane::LastRun last = table.last_run();
  if (lane::view(last.run_id) == run_id && table.is_own(last)) {
    return true;
  }
  if (table.is_copy(table.header())) {
    return false;
  }
  const auto is_it = [&](const auto& record) { return lane::view(record.run_id) == run_id; };
  return std::ranges::any_of(table.entries(table.header().high), is_it) ||
         std::ranges::any_of(table.kept(), is_it);
}

process::RunTraits traits_from(const std::array<std::uint64_t, 8>& context) {
  process::RunTraits traits;
  static_assert(sizeof traits <= sizeof context);
  std::memcpy(static_cast<void*>(&traits), context.data(), sizeof traits);
  return traits;
}

/// False for a run of another lane that still exists: then its journal was copied here with its
/// checkout. After a move the old lane is gone, and the run is this project's.
bool is_of(const LanesHere& lanes, const journal::Record& record) {
  struct stat info {};
  if (record.lane.empty() || ::stat((record.lane + "/lane").c_str(), &info) != 0) {
    return true;
  }
  const lane::FileId id{info.st_dev, info.st_ino};
  return std::ranges::any_of(lanes.tables, [&](const lane::Table& t) { return t.id() == id; });
}

/// Without those that wait: no process carries the id of a run that has not begun.
void add_live(const lane::Table& table, std::vector<std::string>& out) {
  const auto entries = table.entries();
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    const lane::State state = entries[slot].state;
    if (state != lane::State::Free && state != lane::State::Waiting && table.is_alive(slot)) {
      out.emplace_back(lane::view(entries[slot].run_id));
    }
  }
}

/// Tells onelane's processes from others, of which most share a few executables.
class Executables {
 public:
  bool is_onelane(pid_t pid) {
    struct stat info {};
    const std::string path = "/proc/" + std::to_string(pid) + "/exe";
    if (::stat(path.c_str(), &info) != 0) {
      return false;
    }
    const auto [it, is_new] = known_.try_emplace(std::pair{info.st_dev, info.st_ino});
    if (is_new) {
      it->second = tool::is_onelane(path.c_str());
    }
    return it->second;
  }

 private:
  std::map<std::pair<dev_t, ino_t>, bool> known_;
};

/// Calls visit(table) for each lane that a onelane process has open, but for those of `lanes`, as
/// far as this user may read its /proc entry.
template <class Visit>
void for_each_lane_elsewhere(const LanesHere* lanes, const Visit& visit) {
  std::unordered_set<std::string> seen;
  for (const lane::Table& table :
       lanes == nullptr ? std::span<const lane::Table>{} : std::span{lanes->tables}) {
    seen.insert(table.path());
  }
  Executables executables;
  for (const pid_t pid : sys::all_pids()) {
    const auto path = executables.is_onelane(pid) ? lane::lane_file_of(pid) : std::nullopt;
    if (path && seen.insert(*path).second) {
      if (const auto table = lane::Table::open_existing(*path)) {
        visit(*table);
      }
    }
  }
}

/// Looks runs up in the journal and remembers the answers: the same few are asked for repeatedly.
class JournalReader {
 public:
  explicit JournalReader(const LanesHere& lanes) : lanes_{lanes} {}
  const journal::Record* find(std::string_view run_id) {
    const auto [entry, is_new] = known_.try_emplace(std::string{run_id});
    if (is_new && !is_elsewhere(run_id)) {
      entry->second = journal::find(lanes_.project.state_dir, run_id);
      if (entry->second && !is_of(lanes_, *entry->second)) {
        entry->second.reset();
      }
    }
    return entry->second ? &*entry->second : nullptr;
  }

 private:
  /// From here on, a look at all processes takes less time than one through the whole journal.
  static constexpr off_t kLongJournal = off_t{16} << 20;

  /// True for a run that another lane has, alive or with a process that it left running: processes
  /// of other projects would make every look for orphans read the whole journal in vain.
  bool is_elsewhere(std::string_view run_id) {
    if (!has_looked_elsewhere_ && journal::bytes_in(lanes_.project.state_dir) > kLongJournal) {
      for_each_lane_elsewhere(&lanes_, [this](const lane::Table& table) {
        add_live(table, elsewhere_);
        for (const lane::Kept& kept : lane::living_kept(table)) {
          elsewhere_.emplace_back(lane::view(kept.run_id));
        }
      });
    }
    has_looked_elsewhere_ = true;
    return std::ranges::find(elsewhere_, run_id) != elsewhere_.end();
  }

  const LanesHere& lanes_;
  std::unordered_map<std::string, std::optional<journal::Record>> known_;
  std::vector<std::string> elsewhere_;
  bool has_looked_elsewhere_ = false;
};

std::optional<process::RunTraits> traits_in(const lane::Table& table, std::string_view run_id) {
  const lane::LastRun last = table.last_run();
  if (lane::view(last.run_id) != run_id || !table.is_own(last)) {
    return std::nullopt;
  }
  process::RunTraits traits = traits_from(last.context);
  traits.was_cut_short = last.open != 0 ? 1 : 0;
  return traits;
}

/// The command of a ticket in the table, alive or dead; empty if there is none.
std::string command_in(const lane::Table& table, std::string_view run_id) {
  const auto entries = table.entries(table.header().high);
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    if (lane::view(entries[slot].run_id) == run_id) {
      const auto detail = table.detail(slot, entries[slot].sequence);
      return detail ? sys::printable(detail->command.data()) : std::string{};
    }
  }
  return {};
}

/// The user of a run in the table, alive or dead.
std::optional<uid_t> owner_in(const lane::Table& table, std::string_view run_id) {
  const lane::LastRun last = table.last_run();
  if (lane::view(last.run_id) == run_id && table.is_own(last)) {
    return last.uid;
  }
  for (const lane::Entry& entry : table.entries(table.header().high)) {
    if (lane::view(entry.run_id) == run_id) {
      return entry.uid;
    }
  }
  return std::nullopt;
}

}  // namespace

RunBook run_book(const LanesHere& lanes) {
  RunBook book;
  const auto journal = std::make_shared<JournalReader>(lanes);
  book.has = [&lanes, journal](std::string_view run_id) {
    return std::ranges::any_of(lanes.tables, [&](const auto& t) { return is_in(t, run_id); }) ||
           journal->find(run_id) != nullptr;
  };
  book.traits = [&lanes, journal](std::string_view run_id) -> std::optional<process::RunTraits> {
    const journal::Record* record = journal->find(run_id);
    auto traits = record == nullptr ? std::nullopt : std::optional{traits_from(record->context)};
    for (const lane::Table& table : lanes.tables) {
      traits = traits ? traits : traits_in(table, run_id);
    }
    if (record != nullptr && record->reason == journal::Reason::Crashed) {
      traits->was_cut_short = 1;
    }
    return traits;
  };
  book.owner = [&lanes, journal](std::string_view run_id) -> std::optional<uid_t> {
    if (const journal::Record* record = journal->find(run_id); record != nullptr) {
      return static_cast<uid_t>(record->uid);
    }
    for (const lane::Table& table : lanes.tables) {
      if (const auto owner = owner_in(table, run_id)) {
        return owner;
      }
    }
    return std::nullopt;
  };
  book.project = [journal](std::string_view run_id) {
    const journal::Record* record = journal->find(run_id);
    return record == nullptr ? std::string{} : record->project;
  };
  book.ended = [journal](std::string_view run_id) -> std::optional<std::int64_t> {
    const journal::Record* record = journal->find(run_id);
    const bool is_known = record != nullptr && record->ended_wall_ms != 0;
    return is_known ? std::optional{record->ended_wall_ms} : std::nullopt;
  };
  book.command = [&lanes, journal](std::string_view run_id) {
    for (const lane::Table& table : lanes.tables) {
      if (std::string found = command_in(table, run_id); !found.empty()) {
        return found;
      }
    }
    const journal::Record* record = journal->find(run_id);
    return record == nullptr ? std::string{} : journal::command_text(*record, 80);
  };
  return book;
}

bool is_onelane_process(pid_t pid) {
  return tool::is_onelane(("/proc/" + std::to_string(pid) + "/exe").c_str());
}

std::vector<std::string> live_runs_of(const LanesHere& lanes) {
  std::vector<std::string> out;
  for (const lane::Table& table : lanes.tables) {
    add_live(table, out);
  }
  return out;
}

std::vector<std::string> live_runs(const LanesHere* lanes) {
  std::vector<std::string> out =
      lanes == nullptr ? std::vector<std::string>{} : live_runs_of(*lanes);
  for_each_lane_elsewhere(lanes, [&](const lane::Table& table) { add_live(table, out); });
  return out;
}

std::vector<lane::Kept> kept_by(const LanesHere& lanes) {
  std::vector<lane::Kept> out;
  for (const lane::Table& table : lanes.tables) {
    std::ranges::move(lane::living_kept(table), std::back_inserter(out));
  }
  return out;
}

namespace {

/// True for a group with the user as its only member, as most distributions create for each user.
bool is_private_group(gid_t group, uid_t owner) {
  if (group != owner) {
    return false;
  }
  bool is_shared = false;
  if (std::FILE* const groups = std::fopen("/etc/group", "re"); groups != nullptr) {
    for (const ::group* entry = ::fgetgrent(groups); entry != nullptr;
         entry = ::fgetgrent(groups)) {
      is_shared = is_shared || (entry->gr_gid == group && entry->gr_mem[0] != nullptr);
    }
    (void)std::fclose(groups);
  }
  return !is_shared;
}

/// True if only the owner of the process can have written the table. That user could signal the
/// process anyway, so believing the record gives away nothing.
bool is_written_by_owner_of(const lane::Table& table, pid_t pid) {
  struct stat file {};
  struct stat process {};
  return ::fstat(table.fd(), &file) == 0 && (file.st_mode & S_IWOTH) == 0 &&
         ((file.st_mode & S_IWGRP) == 0 || is_private_group(file.st_gid, file.st_uid)) &&
         ::stat(("/proc/" + std::to_string(pid)).c_str(), &process) == 0 &&
         process.st_uid == file.st_uid;
}

std::vector<process::WrittenDown> written_down_in(const LanesHere& lanes) {
  std::vector<process::WrittenDown> out;
  for (const lane::Table& table : lanes.tables) {
    for (const lane::Kept& kept : lane::living_kept(table)) {
      out.push_back({{kept.pid, kept.start},
                     std::string{lane::view(kept.run_id)},
                     is_written_by_owner_of(table, kept.pid)});
    }
  }
  return out;
}

/// As the tables say, without asking whether they live.
std::vector<pid_t> waiting_pids(const LanesHere* lanes) {
  std::vector<pid_t> out;
  for (const lane::Table& table :
       lanes == nullptr ? std::span<const lane::Table>{} : std::span{lanes->tables}) {
    for (const lane::Entry& entry : table.entries(table.header().high)) {
      if (entry.state == lane::State::Waiting && entry.pid_namespace == sys::pid_namespace()) {
        out.push_back(entry.pid);
      }
    }
  }
  return out;
}

}  // namespace

process::OrphanRules orphan_rules(const LanesHere* lanes, const RunBook& book) {
  process::OrphanRules rules;
  rules.waiting = [lanes] { return waiting_pids(lanes); };
  rules.live_runs = [lanes] { return live_runs(lanes); };
  rules.is_onelane = [executables = std::make_shared<Executables>()](pid_t pid) {
    return executables->is_onelane(pid);
  };
  rules.is_wanted = book.has;
  rules.traits = book.traits;
  if (book.owner) {
    // A run of root may start processes as other users.
    rules.owner = [owner = book.owner](std::string_view run_id) {
      const auto uid = owner(run_id);
      return uid == uid_t{0} ? std::nullopt : uid;
    };
  }
  rules.keep = keep_list_of(lanes != nullptr ? lanes->settings : settings::Settings{});
  if (lanes != nullptr) {
    rules.written_down = [lanes] { return written_down_in(*lanes); };
  }
  return rules;
}

}  // namespace onelane::multicall
