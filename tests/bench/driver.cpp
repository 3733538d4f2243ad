// Times commands against each other: one round runs each of them once, so that other load on the
// machine affects all of them alike.
//
//     bench_driver ROUNDS -- COMMAND ARG... [-- COMMAND ARG...]...
//
// Prints one line per command: median and 90th percentile of spawn to reaped, in microseconds.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

struct Candidate {
  std::vector<char*> argv;  ///< Ends with nullptr; borrowed from main's.
  std::vector<double> times;
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
    candidate.argv.push_back(nullptr);
  }
  return candidates;
}

/// Microseconds from spawn to reaped; negative when the command failed.
double time_once(const Candidate& candidate, const posix_spawn_file_actions_t& actions) {
  const auto started = std::chrono::steady_clock::now();
  pid_t child = 0;
  if (::posix_spawnp(&child, candidate.argv[0], &actions, nullptr, candidate.argv.data(),
                     environ) != 0) {
    return -1;
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || status != 0) {
    return -1;
  }
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - started)
      .count();
}

}  // namespace

int main(int argc, char** argv) {
  auto candidates = candidates_of(argc, argv);
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 0;
  if (rounds < 1 || candidates.empty()) {
    return 64;
  }
  posix_spawn_file_actions_t quiet;
  ::posix_spawn_file_actions_init(&quiet);
  ::posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  constexpr int kWarmUp = 3;
  for (int round = -kWarmUp; round < rounds; ++round) {
    for (auto& candidate : candidates) {
      const double took = time_once(candidate, quiet);
      if (took < 0) {
        std::fprintf(stderr, "driver: %s did not end with 0\n", candidate.argv[0]);
        return 1;
      }
      if (round >= 0) {
        candidate.times.push_back(took);
      }
    }
  }
  for (auto& candidate : candidates) {
    std::ranges::sort(candidate.times);
    const auto at = [&](std::size_t percent) {
      return candidate.times[(candidate.times.size() - 1) * percent / 100];
    };
    std::printf("%.1f %.1f\n", at(50), at(90));
  }
}
