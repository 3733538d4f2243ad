// Counts the instructions that one process executes in user mode, from its start to its end or
// until it executes another program. The processes it starts are not counted. Steps through it
// (ptrace(2)), so the count is exact and needs no counter of the processor, which virtual machines
// seldom have. Valgrind's callgrind cannot do this: it writes nothing about a process that executes
// another program, and refuses a clone(2) that shares memory.
//
//   bench_steps [--trace FILE] COMMAND ARG...
//
// Prints the count. FILE gets a line for each instruction, in the order of its first execution: its
// address, and the registers before it as NAME=VALUE, which tell what it touches. It has those of
// the processes started, too, until they execute a program.
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

user_regs_struct registers_of(pid_t pid) {
  user_regs_struct registers{};
  iovec area{&registers, sizeof registers};
  ::ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &area);
  return registers;
}

/// Notes the instruction that `pid` is about to execute, if it is the first time.
void note(pid_t pid, std::unordered_set<std::uint64_t>& seen, FILE* trace) {
  const user_regs_struct registers = registers_of(pid);
#if defined(__x86_64__)
  if (!seen.insert(registers.rip).second) {
    return;
  }
  std::fprintf(trace, "%llx", registers.rip);
  const auto put = [&](const char* name, unsigned long long value) {
    std::fprintf(trace, " %s=%llx", name, value);
  };
  put("rax", registers.rax), put("rbx", registers.rbx), put("rcx", registers.rcx);
  put("rdx", registers.rdx), put("rsi", registers.rsi), put("rdi", registers.rdi);
  put("rbp", registers.rbp), put("rsp", registers.rsp), put("r8", registers.r8);
  put("r9", registers.r9), put("r10", registers.r10), put("r11", registers.r11);
  put("r12", registers.r12), put("r13", registers.r13), put("r14", registers.r14);
  put("r15", registers.r15);
  std::fputc('\n', trace);
#else
  if (seen.insert(registers.pc).second) {
    std::fprintf(trace, "%llx\n", static_cast<unsigned long long>(registers.pc));
  }
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

/// Steps through `root`, and with a trace through the processes it makes, each until it executes
/// another program. Returns how many steps `root` made, and its end in `status`.
std::uint64_t step_through(pid_t root, FILE* trace, int& status) {
  std::unordered_set<std::uint64_t> seen;
  std::uint64_t count = 0;
  for (pid_t pid = root;; pid = ::waitpid(-1, &status, __WALL)) {
    if (pid < 0 || (pid == root && !WIFSTOPPED(status))) {
      return count;
    }
    if (!WIFSTOPPED(status)) {
      continue;
    }
    count += pid == root ? 1 : 0;
    if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
      ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
      if (pid == root) {
        ::waitpid(root, &status, 0);
        return count;
      }
      continue;
    }
    if (trace != nullptr) {
      note(pid, seen, trace);
    }
    const int stopped_by = WSTOPSIG(status);  // SIGSTOP: a new process, which is traced now
    const bool is_ours = stopped_by == SIGTRAP || stopped_by == SIGSTOP;
    ::ptrace(PTRACE_SINGLESTEP, pid, nullptr, is_ours ? 0L : static_cast<long>(stopped_by));
  }
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
  constexpr long kAlways = PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
  constexpr long kChildren = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
      ::ptrace(PTRACE_SETOPTIONS, child, nullptr, kAlways | (trace != nullptr ? kChildren : 0)) !=
          0) {
    return fail("the process cannot be traced");
  }
  const std::uint64_t count = step_through(child, trace, status);
  if (trace != nullptr) {
    std::fclose(trace);
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return fail("the process did not end with 0");
  }
  std::printf("%llu\n", static_cast<unsigned long long>(count));
}
