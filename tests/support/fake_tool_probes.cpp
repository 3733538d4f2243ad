#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/support/fake_tool.hpp"

extern char** environ;

namespace fake_tool {
namespace {

std::string link_text(const std::string& path) {
  char text[4096];
  const ssize_t length = ::readlink(path.c_str(), text, sizeof text);
  return length < 0 ? std::string{"?"} : std::string{text, static_cast<std::size_t>(length)};
}

/// "pipe:[123]" without the number, which differs between runs.
std::string without_inode(std::string text) {
  if (const auto at = text.find(":["); at != std::string::npos) {
    text.resize(at);
  }
  return text;
}

}  // namespace

void print_arguments(Script& script) {
  (void)script;
  std::FILE* file = std::fopen("/proc/self/cmdline", "r");
  if (file == nullptr) {
    give_up("/proc/self/cmdline");
  }
  std::string all;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) {
    all += c == 0 ? '|' : static_cast<char>(c);
  }
  std::fclose(file);
  report("arguments " + all);
}

void print_descriptors(Script& script) {
  (void)script;
  DIR* directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) {
    give_up("/proc/self/fd");
  }
  std::vector<int> numbers;
  while (const dirent* entry = ::readdir(directory)) {
    const int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && fd != ::dirfd(directory)) {
      numbers.push_back(fd);
    }
  }
  ::closedir(directory);
  std::sort(numbers.begin(), numbers.end());
  for (const int fd : numbers) {
    char line[64];
    std::snprintf(line, sizeof line, "fd %d flags %o %o offset %lld ", fd,
                  static_cast<unsigned>(::fcntl(fd, F_GETFD)),
                  static_cast<unsigned>(::fcntl(fd, F_GETFL)),
                  static_cast<long long>(::lseek(fd, 0, SEEK_CUR)));
    report(line + without_inode(link_text("/proc/self/fd/" + std::to_string(fd))));
  }
}

void print_signals(Script& script) {
  (void)script;
  std::FILE* status = std::fopen("/proc/self/status", "r");
  if (status == nullptr) {
    give_up("/proc/self/status");
  }
  char line[512];
  while (std::fgets(line, sizeof line, status) != nullptr) {
    if (std::strncmp(line, "Sig", 3) == 0 || std::strncmp(line, "ShdPnd", 6) == 0) {
      line[std::strcspn(line, "\n")] = '\0';
      if (std::strncmp(line, "SigQ", 4) != 0) {  // counts all signals queued for the user
        report(line);
      }
    }
  }
  std::fclose(status);
}

void print_ids(Script& script) {
  (void)script;
  const int tty = ::open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
  report("session " + std::to_string(::getsid(0)));
  report("group " + std::to_string(::getpgrp()));
  report("foreground " + (tty < 0 ? std::string{"no terminal"} : std::to_string(::tcgetpgrp(tty))));
  report("users " + std::to_string(::getuid()) + " " + std::to_string(::geteuid()) + " " +
         std::to_string(::getgid()) + " " + std::to_string(::getegid()));
  if (tty >= 0) {
    ::close(tty);
  }
}

void print_limits(Script& script) {
  (void)script;
  const mode_t mask = ::umask(0);
  ::umask(mask);
  char line[128];
  std::snprintf(line, sizeof line, "umask %04o nice %d slack %d dumpable %d no_new_privs %d",
                static_cast<unsigned>(mask), ::getpriority(PRIO_PROCESS, 0),
                ::prctl(PR_GET_TIMERSLACK), ::prctl(PR_GET_DUMPABLE),
                ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  report(line);
  for (int resource = 0; resource < 16; ++resource) {
    rlimit limit{};
    ::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
    std::snprintf(line, sizeof line, "rlimit %d %llx %llx", resource,
                  static_cast<unsigned long long>(limit.rlim_cur),
                  static_cast<unsigned long long>(limit.rlim_max));
    report(line);
  }
  cpu_set_t cpus;
  ::sched_getaffinity(0, sizeof cpus, &cpus);
  report("cpus " + std::to_string(CPU_COUNT(&cpus)) + " scheduler " +
         std::to_string(::sched_getscheduler(0)));
  report("directory " + link_text("/proc/self/cwd"));
  report("root " + link_text("/proc/self/root"));
}

void print_environment(Script& script) {
  (void)script;
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    entries.emplace_back(*entry);
  }
  std::sort(entries.begin(), entries.end());
  for (const std::string& entry : entries) {
    report("env " + entry);
  }
}

}  // namespace fake_tool
