// Counts the instructions that one process executes in user mode, from its start to its end or
// until it executes another program. The processes it starts are not counted. Steps through it
// (ptrace(2)), so the count is exact and needs no counter of the processor, which virtual machines
// seldom have. Valgrind's callgrind cannot do this: it writes nothing about a process that executes
// another program, and refuses a clone(2) that shares memory.
//
//   bench_steps [--trace FILE] COMMAND ARG...
//
// Prints the count. FILE gets the address of each instruction, once, in the order of its first
// execution.
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <elf.h>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <unordered_set>

namespace {

std::uint64_t program_counter(pid_t pid) {
  user_regs_struct registers{};
  iovec area{&registers, sizeof registers};
  ::ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &area);
#if defined(__x86_64__)
  return registers.rip;
#else
  return registers.pc;
#endif
}

pid_t start(char** argv) {
  const pid_t child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, 1);
    ::close(null);
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::execvp(argv[0], argv);
    ::_exit(127);
  }
  return child;
}

int fail(const char* what) {
  std::fprintf(stderr, "steps: %s\n", what);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  FILE* trace = nullptr;
  int first = 1;
  if (argc > 3 && std::string_view{argv[1]} == "--trace") {
    trace = std::fopen(argv[2], "w");
    first = 3;
  }
  if (argc <= first) {
    return 64;
  }
  const pid_t child = start(argv + first);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
    return fail("the process cannot be traced");
  }
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
  std::unordered_set<std::uint64_t> seen;
  std::uint64_t count = 0;
  std::uint64_t signal = 0;
  for (;;) {
    if (trace != nullptr) {
      const std::uint64_t at = program_counter(child);
      if (seen.insert(at).second) {
        std::fprintf(trace, "%llx\n", static_cast<unsigned long long>(at));
      }
    }
    if (::ptrace(PTRACE_SINGLESTEP, child, nullptr, signal) != 0 ||
        ::waitpid(child, &status, 0) != child) {
      return fail("a step failed");
    }
    if (!WIFSTOPPED(status)) {
      break;
    }
    ++count;
    if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
      ::ptrace(PTRACE_DETACH, child, nullptr, nullptr);
      ::waitpid(child, &status, 0);
      break;
    }
    signal = WSTOPSIG(status) == SIGTRAP ? 0 : static_cast<std::uint64_t>(WSTOPSIG(status));
  }
  if (trace != nullptr) {
    std::fclose(trace);
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return fail("the process did not end with 0");
  }
  std::printf("%llu\n", static_cast<unsigned long long>(count));
}
