#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "tests/support/pty.hpp"
#include "tests/support/sandbox.hpp"

namespace onelane::test {
namespace {

using Words = std::vector<std::string>;

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// Replaces what differs between any two sandboxes.
std::string without_names(std::string text, const Sandbox& sandbox, pid_t leader) {
  replace_all(text, sandbox.root(), "<root>");
  replace_all(text, std::filesystem::path{sandbox.root()}.filename(), "<mark>");
  replace_all(text, " " + std::to_string(leader) + "\n", " <leader>\n");
  return text;
}

/// The report of a tool started with `options`: its standard output, or its trace.
std::string report(Mode mode, const Words& argv, const Start& options) {
  Sandbox sandbox{mode};
  Running running = sandbox.start(argv, options);
  const pid_t pid = running.pid();
  const Ended ended = running.wait();
  std::string text = ended.out + "stderr: " + ended.err + "\n";
  for (const Event& event : sandbox.trace()) {
    text += event.text + "\n";
  }
  return without_names(text + describe_status(ended.wait_status) + "\n", sandbox, pid);
}

void expect_equal(const Words& argv, const Start& options = {}) {
  const std::string direct = report(Mode::Direct, argv, options);
  EXPECT_EQ(report(Mode::Shim, argv, options), direct);
}

TEST(EqualityTest, ArgumentsArriveAsWritten) {
  expect_equal({"make", "print-args", "out", "a b", "out", "", "out", "*\n$HOME", "exit", "4"});
}

TEST(EqualityTest, StreamsAreTheSameByteForByte) {
  expect_equal({"make", "out-bytes", "1000000", "err", "a warning", "exit", "1"});
}

TEST(EqualityTest, DescriptorsKeepTheirNumbersAndFlags) {
  Start options;
  options.before_exec = [] {
    int ends[2];
    (void)!::pipe(ends);
    // Ours begin at 200; the caller may have used those numbers first.
    for (const int number : {9, 63, 200, 201, 207, 250, 255, 300}) {
      ::dup2(ends[0], number);
    }
    ::fcntl(9, F_SETFL, O_NONBLOCK);
    const int file = ::open("/etc/passwd", O_RDONLY);
    ::lseek(file, 5, SEEK_SET);
  };
  expect_equal({"make", "print-fds"}, options);
}

TEST(EqualityTest, MaskAndIgnoredSignalsArriveAsTheyWere) {
  Start options;
  options.before_exec = [] {
    sigset_t blocked;
    ::sigemptyset(&blocked);
    for (const int signal : {SIGUSR1, SIGTERM, SIGCHLD, SIGALRM, SIGRTMIN, SIGRTMAX}) {
      ::sigaddset(&blocked, signal);
    }
    ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
    for (const int signal : {SIGHUP, SIGINT, SIGPIPE, SIGXFSZ, SIGTTOU, SIGCHLD, SIGRTMIN + 3}) {
      ::signal(signal, SIG_IGN);
    }
  };
  expect_equal({"make", "print-signals"}, options);
}

TEST(EqualityTest, NothingIsBlockedOrIgnoredWhereNothingWas) {
  expect_equal({"make", "print-signals"});
}

TEST(EqualityTest, LimitsUmaskNicenessAndDirectoryArriveAsTheyWere) {
  Start options;
  options.before_exec = [] {
    ::umask(0137);
    const rlimit files{400, 512};
    const rlimit core{0, 4096};
    const rlimit stack{4 << 20, 8 << 20};
    ::setrlimit(RLIMIT_NOFILE, &files);
    ::setrlimit(RLIMIT_CORE, &core);
    ::setrlimit(RLIMIT_STACK, &stack);
    (void)!::nice(3);
    ::mkdir("deep", 0700);
    (void)!::chdir("deep");
  };
  expect_equal({"make", "print-limits"}, options);
}

TEST(EqualityTest, SessionAndGroupAreTheCallers) {
  expect_equal({"make", "print-ids"});
  Start apart;
  apart.new_session = true;
  expect_equal({"make", "print-ids"}, apart);
  Start grouped;
  grouped.before_exec = [] { ::setpgid(0, 0); };
  expect_equal({"make", "print-ids"}, grouped);
}

TEST(EqualityTest, OnATerminalItIsInTheForegroundGroup) {
  const auto ids = [](Mode mode) {
    Sandbox sandbox{mode};
    Terminal terminal{{"make", "report-to-trace", "print-ids", "print-fds", "exit", "0"},
                      sandbox.environment(),
                      sandbox.project()};
    const pid_t leader = terminal.leader();
    EXPECT_EQ(describe_status(terminal.wait()), "exit 0");
    std::string text;
    for (const Event& event : sandbox.trace()) {
      text += event.text.substr(0, event.text.find("/dev/pts/")) + "\n";
    }
    return without_names(text, sandbox, leader);
  };
  const std::string direct = ids(Mode::Direct);
  EXPECT_THAT(direct, testing::HasSubstr("foreground <leader>"));
  EXPECT_EQ(ids(Mode::Shim), direct);
}

/// Entries of `print-env`, without PATH, which a sandbox sets by its mode.
Words environment_of(Mode mode) {
  Sandbox sandbox{mode};
  sandbox.set_environment("ODD", "a=b=c");
  sandbox.set_environment("EMPTY", "");
  sandbox.set_environment("TIMEOUT", "60");
  const std::string path = sandbox.environment().front();
  std::istringstream text{without_names(sandbox.run({"make", "print-env"}).out, sandbox, -1)};
  Words entries;
  for (std::string entry; std::getline(text, entry);) {
    if (!entry.starts_with("env PATH=")) {
      entries.push_back(entry);
    }
  }
  return entries;
}

TEST(EqualityTest, TheEnvironmentGainsTheDocumentedVariablesOnly) {
  const Words direct = environment_of(Mode::Direct);
  Words shim = environment_of(Mode::Shim);
  const auto added = std::erase_if(shim, [](const std::string& entry) {
    return entry.starts_with("env ONELANE_") || entry.starts_with("env SEQUENTIAL_EXECUTOR_PID=");
  });
  EXPECT_GE(added, 2U) << "the tool was not run by onelane";
  EXPECT_EQ(shim, direct);
}

TEST(EqualityTest, ThePathIsTheCallers) {
  Sandbox sandbox{Mode::Shim};
  EXPECT_THAT(sandbox.run({"make", "print-env"}).out,
              testing::HasSubstr("env PATH=" + sandbox.shims() + ":" + sandbox.tools() + ":"));
}

/// Which of the descriptors 0 to 2 are closed, as bits.
class ClosedTest : public testing::TestWithParam<int> {};

TEST_P(ClosedTest, ClosedStandardDescriptorsStayClosed) {
  const auto stream = [](int number) {
    return (GetParam() >> number & 1) != 0 ? Stream::Closed : Stream::Null;
  };
  Start options;
  options.standard_input = stream(0);
  options.standard_output = stream(1);
  options.standard_error = stream(2);
  expect_equal({"make", "report-to-trace", "print-fds", "exit", "6"}, options);
}

INSTANTIATE_TEST_SUITE_P(Each, ClosedTest, testing::Range(1, 8));

TEST(EqualityTest, FewDescriptorsAreEnough) {
  Start options;
  options.before_exec = [] {
    const rlimit files{32, 32};
    ::setrlimit(RLIMIT_NOFILE, &files);
  };
  Sandbox sandbox{Mode::Shim};
  const Ended ended = sandbox.run({"make", "print-limits", "exit", "8"}, options);
  EXPECT_TRUE(ended.exited_with(8)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_THAT(ended.out, testing::HasSubstr("rlimit 7 20 20"));
}

}  // namespace
}  // namespace onelane::test
