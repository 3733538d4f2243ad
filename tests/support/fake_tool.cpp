#include "tests/support/fake_tool.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace fake_tool {

const char* trace_path = nullptr;
bool reports_to_trace = false;

namespace {

constexpr int kUsage = 64;
constexpr int kOverlap = 99;

struct SignalName {
  const char* name;
  int number;
};
constexpr SignalName kSignals[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},       {"QUIT", SIGQUIT}, {"ILL", SIGILL},
    {"TRAP", SIGTRAP}, {"ABRT", SIGABRT},     {"BUS", SIGBUS},   {"FPE", SIGFPE},
    {"KILL", SIGKILL}, {"USR1", SIGUSR1},     {"SEGV", SIGSEGV}, {"USR2", SIGUSR2},
    {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},     {"TERM", SIGTERM}, {"STKFLT", SIGSTKFLT},
    {"CHLD", SIGCHLD}, {"CONT", SIGCONT},     {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},
    {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU},     {"URG", SIGURG},   {"XCPU", SIGXCPU},
    {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH},
    {"IO", SIGIO},     {"PWR", SIGPWR},       {"SYS", SIGSYS}};

std::array<volatile sig_atomic_t, 65> caught;

void count_signal(int signal) {
  const int error = errno;
  char text[32] = "sig ";
  std::strncat(text, signal_name(signal), sizeof text - 5);
  trace(text);
  caught[static_cast<std::size_t>(signal)] = caught[static_cast<std::size_t>(signal)] + 1;
  errno = error;
}

void set_handler(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

// --- Ends ---------------------------------------------------------------------
void do_exit(Script& s) {
  ::_exit(std::atoi(s.next()));
}
void do_die(Script& s) {
  raise_by_default(signal_number(s.next()));
}
void do_stop_self(Script& s) {
  ::kill(::getpid(), signal_number(s.next()));
}
void do_stop_group(Script& s) {
  ::kill(0, signal_number(s.next()));
}

// --- Signals ------------------------------------------------------------------
void do_ignore(Script& s) {
  set_handler(signal_number(s.next()), SIG_IGN);
}
void do_default(Script& s) {
  set_handler(signal_number(s.next()), SIG_DFL);
}
void do_catch(Script& s) {
  set_handler(signal_number(s.next()), count_signal);
}
void do_wait_signal(Script& s) {
  const auto signal = static_cast<std::size_t>(signal_number(s.next()));
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, &before);
  while (caught[signal] == 0) {
    ::sigsuspend(&before);
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

// --- Order --------------------------------------------------------------------
void do_trace(Script& s) {
  trace(s.next());
}
void do_trace_file(Script& s) {
  trace_path = s.next();
}
void do_report_to_trace(Script&) {
  reports_to_trace = true;
}
void do_await_trace(Script& s) {
  const std::string wanted = std::string{" "} + s.next() + "\n";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    if (std::FILE* file = std::fopen(trace_path, "re")) {
      char buffer[4096];
      while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, file)) {
        text.append(buffer, got);
      }
      std::fclose(file);
    }
    if (text.find(wanted) != std::string::npos) {
      return;
    }
    ::usleep(1'000);
  }
  give_up(wanted.c_str());
}
void do_lock(Script& s) {
  const int fd = ::open(s.next(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    trace("OVERLAP");
    ::_exit(kOverlap);
  }
}

struct Verb {
  std::string_view name;
  void (*run)(Script&);
};
constexpr Verb kVerbs[] = {{"alloc", do_alloc},
                           {"await-trace", do_await_trace},
                           {"call", do_call},
                           {"cat", do_cat},
                           {"catch", do_catch},
                           {"clear-environment", do_clear_environment},
                           {"close-others", do_close_others},
                           {"default", do_default},
                           {"die", do_die},
                           {"err", do_err},
                           {"exec", do_exec},
                           {"exit", do_exit},
                           {"fork-away", do_fork_away},
                           {"hold-until", do_hold_until},
                           {"ignore", do_ignore},
                           {"listen", do_listen},
                           {"lock", do_lock},
                           {"out", do_out},
                           {"out-bytes", do_out_bytes},
                           {"out-forever", do_out_forever},
                           {"out-part", do_out_part},
                           {"print-args", print_arguments},
                           {"print-env", print_environment},
                           {"print-fds", print_descriptors},
                           {"print-ids", print_ids},
                           {"print-limits", print_limits},
                           {"print-signals", print_signals},
                           {"read-tty", do_read_tty},
                           {"redirect", do_redirect},
                           {"report-to-trace", do_report_to_trace},
                           {"setsid", do_setsid},
                           {"sleep", do_sleep},
                           {"spawn", do_spawn},
                           {"stop-group", do_stop_group},
                           {"stop-self", do_stop_self},
                           {"trace", do_trace},
                           {"trace-file", do_trace_file},
                           {"wait-all", do_wait_all},
                           {"wait-signal", do_wait_signal}};
static_assert(std::ranges::is_sorted(kVerbs, {}, &Verb::name));

}  // namespace

void raise_by_default(int signal) {
  set_handler(signal, SIG_DFL);
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, signal);
  ::prctl(PR_SET_DUMPABLE, 0);  // no core files
  ::raise(signal);
  ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
}

void run(Script script) {
  while (!script.done()) {
    const std::string_view name = script.next();
    const auto* verb = std::ranges::lower_bound(kVerbs, name, {}, &Verb::name);
    if (verb == std::end(kVerbs) || verb->name != name) {
      ::dprintf(2, "fake_tool: no verb %s\n", name.data());
      ::_exit(kUsage);
    }
    verb->run(script);
  }
}

int signal_number(std::string_view name) {
  if (name.starts_with("SIG")) {
    name.remove_prefix(3);
  }
  for (const SignalName& signal : kSignals) {
    if (name == signal.name) {
      return signal.number;
    }
  }
  const int number = std::atoi(name.data());
  if (number <= 0 || number > 64) {
    ::dprintf(2, "fake_tool: no signal %s\n", name.data());
    ::_exit(kUsage);
  }
  return number;
}

const char* signal_name(int signal) noexcept {
  for (const SignalName& known : kSignals) {
    if (known.number == signal) {
      return known.name;
    }
  }
  return "other";
}

void trace(const char* text) noexcept {
  if (trace_path == nullptr) {
    return;
  }
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  char line[4096];
  const int size = std::snprintf(line, sizeof line, "%lld %d %s\n",
                                 static_cast<long long>(now.tv_sec) * 1'000'000'000 + now.tv_nsec,
                                 ::getpid(), text);
  const int fd = ::open(trace_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) {
    (void)!::write(fd, line, std::min(static_cast<std::size_t>(size), sizeof line - 1));
    ::close(fd);
  }
}

void report(const std::string& line) {
  if (reports_to_trace) {
    trace(line.c_str());
  } else {
    ::dprintf(1, "%s\n", line.c_str());
  }
}

void give_up(const char* what) {
  ::dprintf(2, "fake_tool: %s: %s\n", what, std::strerror(errno));
  ::_exit(70);
}

char* Script::next() {
  if (done()) {
    ::dprintf(2, "fake_tool: a word is missing at the end\n");
    ::_exit(kUsage);
  }
  return *at_++;
}

Script Script::block() {
  char** const begin = at_;
  for (int depth = 1;;) {
    const std::string_view word = next();
    depth += word == "spawn" || word == "call" || word == "exec" ? 1 : 0;
    depth -= word == "end" ? 1 : 0;
    if (depth == 0) {
      return {begin, at_ - 1};
    }
  }
}

std::vector<char*> Script::words() const {
  std::vector<char*> words{at_, end_};
  words.push_back(nullptr);
  return words;
}

}  // namespace fake_tool

int main(int argc, char** argv) {
  fake_tool::trace_path = std::getenv("TRACE");
  fake_tool::run({argv + 1, argv + argc});
  return 0;
}
