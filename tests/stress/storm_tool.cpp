#include "tests/stress/storm_tool.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <string>

#include "core/lane/table.hpp"

namespace onelane::storm {
namespace {

void write_trace(const std::string& line) {
  const int fd =
      ::open(std::getenv("STORM_TRACE"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  (void)!::write(fd, line.data(), line.size());
  ::close(fd);
}

/// "run SEQUENCE PID early:PID,PID": those with an earlier place and no lower priority that
/// were waiting while we started.
std::string describe_start(const lane::Table& table) {
  const auto entries = table.entries(table.header().high);
  const auto current = lane::current_slot(entries);
  if (!current) {
    return "run 0 0 early:\n";
  }
  const lane::Entry& mine = entries[*current];
  std::string line =
      "run " + std::to_string(mine.sequence) + " " + std::to_string(mine.pid) + " early:";
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    const lane::Entry& other = entries[slot];
    if (other.state == lane::State::Waiting && other.sequence < mine.sequence &&
        other.priority >= mine.priority && mine.overtaken < lane::kOvertakeCap &&
        table.is_alive(slot)) {
      line += std::to_string(other.pid) + ",";
    }
  }
  return line + "\n";
}

/// Leaves something behind: a worker on our pipes, one that ignores TERM, a detached one.
void misbehave(unsigned dice) {
  if (dice % 16 != 0 || ::fork() != 0) {
    return;
  }
  if (dice % 32 == 0) {
    ::signal(SIGTERM, SIG_IGN);
  }
  if (dice % 64 == 0) {
    ::setsid();
  }
  ::sleep(600);
  ::_exit(0);
}

}  // namespace

int be_the_tool() {
  const int witness = ::open(std::getenv("STORM_WITNESS"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (::flock(witness, LOCK_EX | LOCK_NB) != 0) {
    write_trace("OVERLAP " + std::to_string(::getpid()) + "\n");
  }
  const lane::Table table{std::getenv("STORM_STATE"), 0600};
  write_trace(describe_start(table));
  std::mt19937 random{static_cast<unsigned>(::getpid())};
  const auto dice = static_cast<unsigned>(random());
  misbehave(dice);
  ::usleep(static_cast<unsigned>(random() % 4000));
  return static_cast<int>(dice % 3);
}

}  // namespace onelane::storm
