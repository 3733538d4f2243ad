#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/lane/ticket.hpp"

namespace onelane::lane {

/// A state directory for one test, and children that are killed and reaped at its end.
class LaneTest : public ::testing::Test {
 protected:
  LaneTest() {
    char name[] = "/tmp/onelane-lane-XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  ~LaneTest() override {
    for (const pid_t child : children_) {
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
    std::filesystem::remove_all(directory_);
  }

  [[nodiscard]] Table table(std::size_t slots = kSlots) const { return {directory_, 0600, slots}; }

  /// Runs `body` in a child and returns its pid; the child exits with 0 when body returns.
  pid_t child(const std::function<void()>& body) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      body();
      ::_exit(0);
    }
    children_.push_back(pid);
    return pid;
  }

  /// Waits, for a limited time, until `done` holds.
  static ::testing::AssertionResult eventually(const std::function<bool()>& done) {
    for (int i = 0; i < 10'000; ++i) {
      if (done()) {
        return ::testing::AssertionSuccess();
      }
      ::usleep(1000);
    }
    return ::testing::AssertionFailure() << "not within ten seconds";
  }

  /// Advances until the ticket started or left; true for started.
  static bool wait_for_turn(Ticket& ticket) {
    for (;;) {
      const Step step = ticket.advance();
      if (step == Step::Started) {
        return ticket.begin() == Begun::Yes;
      }
      if (step == Step::Cancelled || step == Step::Gone) {
        return false;
      }
      const auto fds = ticket.wake_fds();
      pollfd polled[2] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}};
      ::poll(polled, 2, 1000);
      ticket.drain();
    }
  }

  /// Appends one line to the trace in a single write.
  void trace(const std::string& line) const {
    const int fd = ::open((directory_ + "/trace").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    const std::string text = line + "\n";
    (void)!::write(fd, text.data(), text.size());
    ::close(fd);
  }
  [[nodiscard]] std::vector<std::string> traced() const {
    std::vector<std::string> lines;
    if (FILE* file = ::fopen((directory_ + "/trace").c_str(), "re")) {
      char line[256];
      while (::fgets(line, sizeof line, file) != nullptr) {
        lines.emplace_back(line, ::strcspn(line, "\n"));
      }
      ::fclose(file);
    }
    return lines;
  }
  /// Number of tickets in `state`.
  [[nodiscard]] std::size_t count(State state) const {
    const Table view = table();
    std::size_t found = 0;
    for (const Entry& entry : view.entries(view.header().high)) {
      found += entry.state == state ? 1U : 0U;
    }
    return found;
  }

  static TicketInfo info(int priority = 0) {
    TicketInfo out;
    out.tool = "make";
    out.command = "make test";
    out.priority = priority;
    return out;
  }

  std::string directory_;
  std::vector<pid_t> children_;
};

}  // namespace onelane::lane
