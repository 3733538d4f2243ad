#pragma once

#include <string>
#include <string_view>
#include <vector>

// fake_tool: the real tool of every test sandbox (linked there as make, git, pytest …).
// Its command line is a script of verbs, run from left to right; see the table in fake_tool.cpp.
// Depends only on libc, so that a sandbox can start it anywhere.
namespace fake_tool {

/// The rest of the command line; verbs take their arguments from its front.
class Script {
 public:
  Script(char** begin, char** end) : at_{begin}, end_{end} {}
  [[nodiscard]] bool done() const { return at_ == end_; }
  /// The next word; ends the tool with 64 when there is none.
  char* next();
  /// The words up to the matching `end`, which is consumed too. `spawn`, `call`, `exec` open a
  /// block.
  Script block();
  /// The words as an argument vector, NULL-terminated, still owned by the command line.
  [[nodiscard]] std::vector<char*> words() const;

 private:
  char** at_;
  char** end_;
};

/// Appends "<monotonic ns> <pid> TEXT" to the trace file with one write. Signal handlers may call
/// it too: glibc's snprintf of integers and short strings neither allocates nor locks.
void trace(const char* text) noexcept;
/// Path of the trace file; $TRACE at the start.
extern const char* trace_path;

/// One line of a report: to standard output, or to the trace after `report-to-trace`.
void report(const std::string& line);
extern bool reports_to_trace;

/// Ends the tool with 70 and says what failed.
[[noreturn]] void give_up(const char* what);

/// Signal number of "INT", "SIGINT" or "2"; ends the tool with 64 when there is none.
int signal_number(std::string_view name);
/// "INT" for 2; the number when there is no name.
const char* signal_name(int signal) noexcept;

/// Runs a script to its end, or to the verb that ends the process.
void run(Script script);

/// Ends by `signal` with its default action, without a core file; returns if that does not end it.
void raise_by_default(int signal);

// Children, descriptors, input and output, memory.
void do_spawn(Script& s);
void do_fork_away(Script& s);
void do_setsid(Script& s);
void do_wait_all(Script& s);
void do_exec(Script& s);
void do_call(Script& s);
void do_clear_environment(Script& s);
void do_redirect(Script& s);
void do_close_others(Script& s);
void do_hold_until(Script& s);
void do_listen(Script& s);
void do_out(Script& s);
void do_out_part(Script& s);
void do_err(Script& s);
void do_out_bytes(Script& s);
void do_out_forever(Script& s);
void do_cat(Script& s);
void do_read_tty(Script& s);
void do_alloc(Script& s);
void do_sleep(Script& s);

// What a tool can see of how it was started; each verb reports sorted, comparable lines.
void print_arguments(Script& script);
void print_descriptors(Script& script);
void print_signals(Script& script);
void print_ids(Script& script);
void print_limits(Script& script);
void print_environment(Script& script);

}  // namespace fake_tool
