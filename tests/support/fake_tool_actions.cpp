#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "tests/support/fake_tool.hpp"

// Verbs that start processes, move descriptors, read, write and take memory.
namespace fake_tool {

void do_spawn(Script& s) {
  const Script block = s.block();
  if (::fork() == 0) {
    run(block);
    ::_exit(0);
  }
}
/// Continues in a child whose parent exits: with `setsid` the classic daemon.
void do_fork_away(Script&) {
  if (::fork() != 0) {
    ::_exit(0);
  }
}
void do_setsid(Script&) {
  ::setsid();
}
void do_wait_all(Script&) {
  while (::wait(nullptr) > 0 || errno == EINTR) {
  }
}
void do_exec(Script& s) {
  const Script block = s.block();
  const auto words = block.words();
  ::execvp(words[0], words.data());
  give_up(words[0]);
}
/// Runs a tool to its end, and ends the way it ended unless that was with 0.
void do_call(Script& s) {
  const Script block = s.block();
  const auto words = block.words();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    raise_by_default(WTERMSIG(status));
  } else if (WEXITSTATUS(status) != 0) {
    ::_exit(WEXITSTATUS(status));
  }
}
/// Starts this program again with the rest of the script and an empty environment.
void do_clear_environment(Script& s) {
  std::vector<char*> words = s.words();
  std::string verb = "trace-file";
  std::string path = trace_path == nullptr ? "/dev/null" : trace_path;
  std::string name = "fake_tool";
  words.insert(words.begin(), {name.data(), verb.data(), path.data()});
  char* const nothing[] = {nullptr};
  ::execve("/proc/self/exe", words.data(), nothing);
  give_up("/proc/self/exe");
}

/// redirect FD null|closed|FILE
void do_redirect(Script& s) {
  const int fd = std::atoi(s.next());
  const std::string_view where = s.next();
  if (where == "closed") {
    ::close(fd);
    return;
  }
  const char* path = where == "null" ? "/dev/null" : where.data();
  const int opened =
      ::open(path, fd == 0 ? O_RDONLY | O_CREAT : O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (opened < 0) {
    give_up(path);
  }
  if (opened != fd) {
    ::dup2(opened, fd);
    ::close(opened);
  }
}
void do_close_others(Script&) {
  ::syscall(SYS_close_range, 3U, ~0U, 0U);
}
constexpr unsigned kLongestHold = 300;  // seconds; no process of a lost test lives longer

/// FILE is a FIFO: opening it blocks until the test opens it for writing.
void do_hold_until(Script& s) {
  const char* path = s.next();
  ::alarm(kLongestHold);
  int fd = -1;
  while ((fd = ::open(path, O_RDONLY | O_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (fd < 0) {
    give_up(path);
  }
  ::alarm(0);
  ::close(fd);
}
/// listen 4|6 PORT: on the loopback address, IPv6 only for 6, until the tool ends.
void do_listen(Script& s) {
  const bool is_v6 = *s.next() == '6';
  const auto port = ::htons(static_cast<std::uint16_t>(std::atoi(s.next())));
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = port;
  v4.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = port;
  v6.sin6_addr = in6addr_loopback;
  const int fd = ::socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (is_v6) {
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  const auto* address =
      is_v6 ? reinterpret_cast<const sockaddr*>(&v6) : reinterpret_cast<const sockaddr*>(&v4);
  if (::bind(fd, address, is_v6 ? sizeof v6 : sizeof v4) != 0 || ::listen(fd, 1) != 0) {
    give_up("listen");
  }
}
/// Writes without a newline.
void do_out_part(Script& s) {
  ::dprintf(1, "%s", s.next());
}
void do_out(Script& s) {
  ::dprintf(1, "%s\n", s.next());
}
void do_err(Script& s) {
  ::dprintf(2, "%s\n", s.next());
}
/// Writes N bytes, every value in turn, to standard output.
void do_out_bytes(Script& s) {
  const long count = std::atol(s.next());
  std::string bytes(static_cast<std::size_t>(count), '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(i * 7 + i / 256);
  }
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got = ::write(1, bytes.data() + done, bytes.size() - done);
    if (got < 0) {
      ::_exit(74);
    }
    done += static_cast<std::size_t>(got);
  }
}
void do_out_forever(Script&) {
  while (::write(1, "line\n", 5) == 5) {
  }
  ::_exit(74);
}
/// Copies standard input to standard output.
void do_cat(Script&) {
  char buffer[4096];
  ssize_t got = 0;
  while ((got = ::read(0, buffer, sizeof buffer)) > 0) {
    if (::write(1, buffer, static_cast<std::size_t>(got)) != got) {
      ::_exit(74);
    }
  }
}
/// Reads one line from the terminal, traced as "read LINE", or as "read nothing".
void do_read_tty(Script&) {
  const int fd = ::open("/dev/tty", O_RDONLY | O_CLOEXEC);
  char line[256] = "read ";
  const ssize_t got = fd < 0 ? -1 : ::read(fd, line + 5, sizeof line - 6);
  if (got <= 0) {
    trace("read nothing");
  } else {
    line[5 + got] = '\0';
    line[std::strcspn(line, "\n")] = '\0';
    trace(line);
  }
  ::close(fd);
}
void do_alloc(Script& s) {
  const auto bytes = static_cast<std::size_t>(std::atol(s.next())) << 20;
  static char* volatile memory;
  memory = static_cast<char*>(std::malloc(bytes));
  std::memset(memory, 1, bytes);
}

void do_sleep(Script& s) {
  const long ms = std::atol(s.next());
  timespec left{ms / 1000, (ms % 1000) * 1'000'000};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

}  // namespace fake_tool
