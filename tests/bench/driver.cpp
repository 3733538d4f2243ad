// Times commands against each other: one round runs each of them once, so that other load on the
// machine affects all of them alike; each round begins with the next one, so that none always runs
// after the same other.
//
//     bench_driver ROUNDS -- [-C DIR] COMMAND ARG... [-- [-C DIR] COMMAND ARG...]...
//
// Prints one line per command: shortest, median and 90th percentile of spawn to reaped, in
// microseconds; the median over the rounds of its time by that of the last command; and the median
// of the page faults of the process and of what it has waited for.
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

/// One run of a command.
struct Run {
  double us = 0;  ///< Negative when the command failed.
  long faults = 0;
};

struct Candidate {
  std::vector<char*> argv;          ///< Ends with nullptr; borrowed from main's.
  const char* directory = nullptr;  ///< Where it runs; null: here.
  std::vector<double> times;
  std::vector<double> ratios;
  std::vector<double> faults;
};

std::vector<Candidate> candidates_of(int argc, char** argv) {
  std::vector<Candidate> candidates;
  for (int i = 2; i < argc; ++i) {
    if (std::string_view{argv[i]} == "--") {
      candidates.emplace_back();
    } else if (!candidates.empty()) {
      candidates.back().argv.push_back(argv[i]);
    }
  }
  for (auto& candidate : candidates) {
    if (candidate.argv.size() > 2 && std::string_view{candidate.argv[0]} == "-C") {
      candidate.directory = candidate.argv[1];
      candidate.argv.erase(candidate.argv.begin(), candidate.argv.begin() + 2);
    }
    candidate.argv.push_back(nullptr);
  }
  return candidates;
}

Run run_once(const Candidate& candidate) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  if (candidate.directory != nullptr) {
    ::posix_spawn_file_actions_addchdir_np(&actions, candidate.directory);
  }
  const auto started = std::chrono::steady_clock::now();
  pid_t child = 0;
  if (::posix_spawnp(&child, candidate.argv[0], &actions, nullptr, candidate.argv.data(),
                     environ) != 0) {
    return {-1, 0};
  }
  ::posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  struct rusage usage {};
  if (::wait4(child, &status, 0, &usage) != child || status != 0) {
    return {-1, 0};
  }
  const auto took = std::chrono::steady_clock::now() - started;
  return {std::chrono::duration<double, std::micro>(took).count(),
          usage.ru_minflt + usage.ru_majflt};
}

double at(std::vector<double>& values, std::size_t percent) {
  std::ranges::sort(values);
  return values[(values.size() - 1) * percent / 100];
}

/// Runs each command once; false when one of them failed.
bool run_round(std::vector<Candidate>& candidates, int round) {
  const std::size_t count = candidates.size();
  std::vector<Run> runs(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t index = (i + static_cast<std::size_t>(std::max(round, 0))) % count;
    runs[index] = run_once(candidates[index]);
    if (runs[index].us < 0) {
      std::fprintf(stderr, "driver: %s did not end with 0\n", candidates[index].argv[0]);
      return false;
    }
  }
  for (std::size_t i = 0; i < count && round >= 0; ++i) {
    candidates[i].times.push_back(runs[i].us);
    candidates[i].ratios.push_back(runs[i].us / runs.back().us);
    candidates[i].faults.push_back(static_cast<double>(runs[i].faults));
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  auto candidates = candidates_of(argc, argv);
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 0;
  if (rounds < 1 || candidates.empty()) {
    return 64;
  }
  constexpr int kWarmUp = 3;
  for (int round = -kWarmUp; round < rounds; ++round) {
    if (!run_round(candidates, round)) {
      return 1;
    }
  }
  for (auto& candidate : candidates) {
    std::printf("%.1f %.1f %.1f %.4f %.0f\n", at(candidate.times, 0), at(candidate.times, 50),
                at(candidate.times, 90), at(candidate.ratios, 50), at(candidate.faults, 50));
  }
}
