// A tool that records when it ran: two lines in a trace, timed by CLOCK_MONOTONIC (one clock for
// all processes of a boot), each written with a single append.
//
//   bench_stamp TRACE          start, end
//   bench_stamp TRACE UNTIL    stays until a file UNTIL is there
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <ctime>

namespace {

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

bool stamp(int trace, const char* word, std::int64_t when) {
  char line[64];
  const int length = std::snprintf(line, sizeof line, "%s %lld %d\n", word,
                                   static_cast<long long>(when), ::getpid());
  return ::write(trace, line, static_cast<std::size_t>(length)) == length;
}

}  // namespace

int main(int argc, char** argv) {
  const auto started = now_ns();
  if (argc < 2) {
    return 64;
  }
  const int trace = ::open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (trace < 0 || !stamp(trace, "start", started)) {
    return 1;
  }
  while (argc > 2 && ::access(argv[2], F_OK) != 0) {
    ::usleep(10'000);
  }
  return stamp(trace, "end", now_ns()) ? 0 : 1;
}
