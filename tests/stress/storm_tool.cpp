#include "tests/stress/storm_tool.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
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

/// "run SEQUENCE PID early:PID,PID": the tickets with an earlier place and no lower priority that
/// were waiting when we started.
std::string describe_start(const lane::Table& table) {
  const auto entries = table.entries(table.header().high);
  const auto current = lane::current_slot(entries);
  if (!current) {
    return "run 0 0 early:\n";
  }
  const lane::Entry& mine = entries[*current];
  std::string line =
      "run " + std::to_string(mine.sequence) + " " + std::to_string(mine.pid) + " early:";
  const auto detail = table.detail(*current, mine.sequence);
  if (detail && detail->pipeline_of[0] != '\0') {
    return line + "\n";  // the turn belongs to its partner
  }
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

/// Leaves processes behind: a worker on our pipes, one that ignores TERM, a detached one.
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

/// True when the tool of another call than `number` runs: each has locked the byte of its number.
bool is_beside_another(int witness, off_t number) {
  const auto is_locked = [witness](off_t from, off_t length) {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_start = from;
    lock.l_len = length;
    return ::fcntl(witness, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
  };
  return (number > 0 && is_locked(0, number)) || is_locked(number + 1, 0);
}

/// Both ends of a pipe are two calls with the same number.
void bear_witness(std::string_view name) {
  constexpr off_t kAlike = off_t{1} << 40;  // shared by many calls of the same name
  const off_t number = name == "x" ? kAlike + ::getpid() : std::atoll(std::string{name}.c_str());
  const int witness = ::open(std::getenv("STORM_WITNESS"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  struct flock lock {};
  lock.l_type = F_RDLCK;
  lock.l_start = number;
  lock.l_len = 1;
  if (::fcntl(witness, F_OFD_SETLK, &lock) != 0 || is_beside_another(witness, number)) {
    write_trace("OVERLAP " + std::to_string(::getpid()) + "\n");
  }
}

/// Writes more than a pipe holds to the reader, or reads all that the writer sends.
void use_pipe() {
  std::array<char, 4096> block{};
  struct stat info {};
  if (::fstat(1, &info) == 0 && S_ISFIFO(info.st_mode)) {
    for (int i = 0; i < 40 && ::write(1, block.data(), block.size()) > 0; ++i) {
    }
    ::close(1);
  }
  while (::read(0, block.data(), block.size()) > 0) {
  }
}

}  // namespace

int be_the_tool(std::string_view name) {
  bear_witness(name);
  const lane::Table table{std::getenv("STORM_STATE"), 0600};
  write_trace(describe_start(table));
  std::mt19937 random{static_cast<unsigned>(::getpid())};
  const auto dice = static_cast<unsigned>(random());
  misbehave(dice);
  use_pipe();
  ::usleep(static_cast<unsigned>(random() % 4000));
  return static_cast<int>(dice % 3);
}

}  // namespace onelane::storm
