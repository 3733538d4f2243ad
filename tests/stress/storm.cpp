// A storm over one lane: shims, tools and guardians are killed at random, waiters are parked,
// bumped, cancelled and told to end; at the end no run may have overlapped, overtaken another, hung
// or left anything behind.
//
//   storm ONELANE COUNT [SEED [AT_ONCE]]     AT_ONCE calls run or wait all the time, 40 by default
//
// Some are two calls joined by a pipe, which may run at the same time, but never beside a third.
//
// Called as `make` it is the tool that the shims run: it takes a witness lock, records which ticket
// runs and which were waiting before it, and misbehaves a little.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/lane/admin.hpp"
#include "core/lane/ticket.hpp"
#include "core/sys/error.hpp"
#include "core/sys/process.hpp"
#include "tests/stress/storm_tool.hpp"

namespace {

namespace fs = std::filesystem;
using namespace onelane;
using Clock = std::chrono::steady_clock;

// --- The storm -----------------------------------------------------------------

struct Storm {
  explicit Storm(std::string executable, unsigned seed)
      : onelane{std::move(executable)}, random{seed} {
    char name[] = "/tmp/onelane-storm-XXXXXX";
    root = ::mkdtemp(name);
    for (const char* folder : {"/.git/objects", "/.git/refs", "/.git/onelane", "/bin", "/real"}) {
      fs::create_directories(root + folder);
    }
    std::ofstream{root + "/.git/HEAD"} << "ref: refs/heads/main\n";
    fs::create_symlink(onelane, root + "/bin/make");
    fs::copy_file("/proc/self/exe", root + "/real/make");
    state = root + "/.git/onelane";
    id = "storm" + std::to_string(::getpid());
    ::setenv("STORM_TRACE", (root + "/trace").c_str(), 1);
    ::setenv("STORM_WITNESS", (root + "/witness").c_str(), 1);
    ::setenv("STORM_STATE", state.c_str(), 1);
    ::setenv("STORM_ID", id.c_str(), 1);
    ::setenv("ONELANE_LINGER", "0.05", 1);
    ::setenv("ONELANE_KILL_TIMEOUT", "0.2", 1);
    ::setenv("PATH", (root + "/bin:" + root + "/real:/usr/bin:/bin").c_str(), 1);
    ::chdir(root.c_str());
    table.emplace(state, 0600U);
  }
  ~Storm() { fs::remove_all(root); }

  /// Most are distinct calls; the others are identical, and take the places of those killed while
  /// they waited: an early number that arrived late.
  void start_one() {
    const bool is_own = started % 8 != 0;
    const pid_t pid = start(is_own ? std::to_string(started) : "x", -1, -1);
    if (!is_own) {
      exempt.insert(pid);
    }
  }

  /// The writer and the reader of one pipe; either may join the queue first.
  void start_pair() {
    int ends[2];
    (void)!::pipe2(ends, O_CLOEXEC);
    const std::string name = std::to_string(started);
    const bool is_reader_first = random() % 2 == 0;
    for (const bool reads : {is_reader_first, !is_reader_first}) {
      // Overtakes others, as part of its partner's turn.
      exempt.insert(reads ? start(name, ends[0], -1) : start(name, -1, ends[1]));
    }
    ::close(ends[0]);
    ::close(ends[1]);
  }

  /// Starts a shim in a group of its own; -1 stands for /dev/null.
  pid_t start(const std::string& name, int input, int output) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::setpgid(0, 0);  // in our session, so not orphaned: TSTP stops it
      const int null = ::open("/dev/null", O_RDWR);
      const int log = ::open((root + "/stderr").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      ::dup2(input < 0 ? null : input, 0);
      ::dup2(output < 0 ? null : output, 1);
      ::dup2(log, 2);
      ::execl((root + "/bin/make").c_str(), "make", name.c_str(), nullptr);
      ::_exit(127);
    }
    alive.insert(pid);
    ++started;
    return pid;
  }

  void reap() {
    int status = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      alive.erase(pid);
      last_end = Clock::now();
    }
  }

  /// A supervisor that holds the lane, its guardian and its tool.
  std::map<std::string, sys::ProcessId> holder() {
    std::map<std::string, sys::ProcessId> out;
    auto entries = table->entries(table->header().high);
    std::erase_if(entries, [&](const lane::Entry& e) {
      return (!lane::has_lane(e.state) && e.state != lane::State::Granted) ||
             !alive.contains(e.pid);
    });
    if (entries.empty()) {
      return out;
    }
    const lane::Entry& chosen = entries[random() % entries.size()];
    out["supervisor"] = chosen.supervisor();
    for (const auto& stat : sys::descendants_of(chosen.pid)) {
      out[std::strcmp(stat.name.data(), "onelane-guard") == 0 ? "guardian" : "tool"] = stat.id;
    }
    return out;
  }

  std::optional<lane::Entry> some_waiter() {
    auto entries = table->entries(table->header().high);
    std::erase_if(entries, [&](const lane::Entry& e) {
      return e.state != lane::State::Waiting || !alive.contains(e.pid);
    });
    return entries.empty() ? std::nullopt : std::optional{entries[random() % entries.size()]};
  }

  void strike() {
    const auto dice = static_cast<unsigned>(random() % 100);
    if (dice < 25) {
      const auto victims = holder();
      for (const auto& [role, victim] : victims) {
        const bool both = dice < 5 && role != "tool";
        if (both || (dice >= 5 && dice < 12 && role == "supervisor") ||
            (dice >= 12 && dice < 18 && role == "guardian") || (dice >= 18 && role == "tool")) {
          ::kill(victim.pid, SIGKILL);
          ++kills;
        }
      }
      return;
    }
    const auto waiter = some_waiter();
    if (!waiter) {
      return;
    }
    const std::string_view run = lane::view(waiter->run_id);
    if (dice < 40) {
      ::kill(waiter->pid, SIGKILL);
      ++kills;
    } else if (dice < 60) {
      exempt.insert(waiter->pid);
      ::kill(waiter->pid, SIGTSTP);
      parked.push_back(waiter->pid);
    } else if (dice < 75) {
      exempt.insert(waiter->pid);
      (void)lane::set_priority(*table, run, static_cast<int>(random() % 3));
    } else if (dice < 85) {
      (void)lane::cancel(*table, run);
    } else if (dice < 95) {
      ::kill(waiter->pid, SIGTERM);
    }
    if (!parked.empty() && dice % 2 == 0) {
      ::kill(parked.back(), SIGCONT);
      parked.pop_back();
    }
  }

  void run(std::size_t count) {
    while (started < count || !alive.empty()) {
      while (started < count && alive.size() < at_once) {
        random() % 10 == 0 ? start_pair() : start_one();
      }
      if (started >= count) {
        for (const pid_t pid : parked) {
          ::kill(pid, SIGCONT);
        }
        parked.clear();
      } else {
        // Only now and then, so that most runs reach their end and the order is tested.
        if (random() % 8 == 0) {
          try {
            strike();
          } catch (const sys::SystemError&) {
            // A gate that its owner cannot leave because it gets no processor.
          }
        }
      }
      ::usleep(started >= count ? 2000 : static_cast<unsigned>(random() % 3000));
      reap();
      if (Clock::now() - last_end > std::chrono::seconds{60}) {
        std::printf("HANG: %zu shims have not ended for a minute\n", alive.size());
        failures += static_cast<int>(alive.size());
        describe_hung();
        for (const pid_t pid : alive) {
          ::kill(pid, SIGKILL);
        }
        return;
      }
    }
  }

  void describe_hung() {
    const auto entries = table->entries(table->header().high);
    for (const pid_t pid : alive) {
      const auto stat = sys::read_stat(pid);
      const auto mine = std::ranges::find(entries, pid, &lane::Entry::pid);
      std::printf("  pid %d %c, entry %d\n", pid, stat ? stat->state : '?',
                  mine == entries.end() ? -1 : static_cast<int>(mine->state));
      for (const auto& below : sys::descendants_of(pid)) {
        std::printf("    %d %c %s (parent %d)\n", below.id.pid, below.state, below.name.data(),
                    below.parent);
      }
    }
  }

  void check_trace() {
    std::ifstream trace{root + "/trace"};
    for (std::string line; std::getline(trace, line);) {
      if (line.starts_with("OVERLAP")) {
        ++overlaps;
        continue;
      }
      ++runs;
      std::stringstream early{line.substr(line.find("early:") + 6)};
      for (std::string pid; std::getline(early, pid, ',');) {
        violations += exempt.contains(std::stoi(pid)) ? 0 : 1;
      }
    }
  }

  /// One last run clears away after a crashed one; then no process with our mark may be alive.
  void check_leftovers() {
    start_one();
    int status = 0;
    ::waitpid(*alive.begin(), &status, 0);
    alive.clear();
    for (const pid_t pid : sys::all_pids()) {
      const auto mark = sys::initial_environment(pid, "STORM_ID");
      if (mark == id && pid != ::getpid()) {
        std::printf("LEFT %d: %s\n", pid, sys::command_line(pid).c_str());
        ::kill(pid, SIGKILL);
        ++left;
      }
    }
    const auto entries = table->entries(table->header().high);
    for (std::size_t slot = 0; slot < entries.size(); ++slot) {
      live_slots += entries[slot].state != lane::State::Free && table->is_alive(slot) ? 1 : 0;
    }
    open_record = table->last_run().open != 0;
  }

  std::string onelane;
  std::mt19937 random;
  std::string root;
  std::string state;
  std::string id;
  std::optional<lane::Table> table;
  std::set<pid_t> alive;
  std::set<pid_t> exempt;  ///< Parked, bumped, or may rejoin: their order is not checked.
  std::vector<pid_t> parked;
  Clock::time_point last_end = Clock::now();
  std::size_t at_once = 40;
  std::size_t started = 0;
  std::size_t kills = 0;
  std::size_t runs = 0;
  int overlaps = 0;
  int violations = 0;
  int left = 0;
  int live_slots = 0;
  int failures = 0;
  bool open_record = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (std::strcmp(argv[0], "make") == 0 || std::string_view{argv[0]}.ends_with("/make")) {
    return onelane::storm::be_the_tool(argc > 1 ? argv[1] : "0");
  }
  if (argc < 3) {
    std::fprintf(stderr, "usage: storm ONELANE COUNT [SEED [AT_ONCE]]\n");
    return 64;
  }
  const unsigned seed =
      argc > 3 ? static_cast<unsigned>(std::atoi(argv[3])) : static_cast<unsigned>(::time(nullptr));
  const auto start = Clock::now();
  Storm storm{fs::canonical(argv[1]).string(), seed};
  if (argc > 4) {
    storm.at_once = static_cast<std::size_t>(std::atoll(argv[4]));
  }
  storm.run(static_cast<std::size_t>(std::atoll(argv[2])));
  storm.check_leftovers();
  storm.check_trace();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::printf(
      "storm: %zu processes, %zu runs, %zu kills in %.0f s (seed %u): %d overlaps, %d order "
      "violations, %d hung, %d left alive, %d live slots, record %s\n",
      storm.started, storm.runs, storm.kills, seconds, seed, storm.overlaps, storm.violations,
      storm.failures, storm.left, storm.live_slots, storm.open_record ? "open" : "closed");
  const bool clean =
      storm.overlaps + storm.violations + storm.failures + storm.left + storm.live_slots == 0 &&
      !storm.open_record && storm.runs > 0;
  return clean ? 0 : 1;
}
