#pragma once

#include <cstddef>
#include <cstdint>

// hog: a tool that takes more than it should, for the tests of the guard. Its command line is a
// script of verbs, run from left to right; see the table in hog.cpp. Static, libc only.
//
// It cannot hurt the machine even if the guard fails: each of its processes is killed by its own
// timer after kLife, none takes more than kMostMegabytes, and a bomb has at most the number of
// members it was told to have, enforced by the kernel (one record lock per member).
namespace hog {

inline constexpr long kLife = 40;  ///< Seconds that any process of a hog lives.
inline constexpr std::size_t kMostMegabytes = 1'500;

/// The rest of the command line; verbs take their arguments from its front.
class Script {
 public:
  Script(char** begin, char** end) : at_{begin}, end_{end} {}
  [[nodiscard]] bool done() const { return at_ == end_; }
  /// The next word; ends the hog with 64 when there is none.
  char* next();
  long number();
  /// The words up to the matching `end`, which is consumed too. `each` and `call` open a block.
  Script block();
  [[nodiscard]] char** begin() const { return at_; }
  [[nodiscard]] char** end() const { return end_; }

 private:
  char** at_;
  char** end_;
};

/// Runs a script to its end, or to the verb that ends the process.
void run(Script script);

/// The values given by `mark` and `trace`; passed on when the environment is cleared.
extern const char* mark;
extern const char* trace_path;

/// Appends "<monotonic ns> <pid> TEXT" to the trace file with one write. Signal handlers may call
/// it.
void trace(const char* text) noexcept;

/// Monotonic nanoseconds.
std::int64_t now() noexcept;

/// Kills this process `seconds` from now, even when it is stopped or ignores every signal.
/// Not inherited by fork(2), lost by execve(2).
void arm(long seconds);

/// Forks, with the timer of the child armed. Exits with 71 when no process can be started.
int armed_fork();

/// Sleeps the full time even if interrupted by a signal.
void sleep_ms(long ms);

[[noreturn]] void give_up(const char* what);

// Memory.
void do_leak(Script& s);
void do_burst(Script& s);
void do_release(Script& s);
void do_dirty(Script& s);
void do_reserve(Script& s);
void do_map(Script& s);
void do_shm(Script& s);
void do_count(Script& s);

// Processes.
void do_each(Script& s);
void do_call(Script& s);
void do_escape(Script& s);
void do_zombies(Script& s);
void do_stopped(Script& s);
void do_threads(Script& s);
void do_churn(Script& s);
void do_bomb(Script& s);
void do_bomb_member(Script& s);

}  // namespace hog
