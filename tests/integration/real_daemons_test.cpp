#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/sandbox.hpp"

namespace onelane::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

/// With LINGER at twenty seconds, a run that waits for a daemon cannot be taken for a quick one.
constexpr milliseconds kNoDelay{8'000};

bool is_installed(const std::string& program) {
  return std::filesystem::exists("/usr/bin/" + program);
}

class RealDaemonsTest : public testing::TestWithParam<Mode> {
 protected:
  RealDaemonsTest() { sandbox_.set_environment("ONELANE_LINGER", "20"); }
  void expect_quick(const Ended& ended) const {
    EXPECT_TRUE(ended.exited_with(0)) << describe_status(ended.wait_status) << ended.err;
    EXPECT_LT(ended.took, kNoDelay);
    EXPECT_THAT(ended.err, testing::Not(HasSubstr("onelane: ")));
  }
  Sandbox sandbox_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Both, RealDaemonsTest, testing::Values(Mode::Direct, Mode::Shim),
                         [](const auto& each) { return name_of(each.param); });

TEST_P(RealDaemonsTest, RedisLivesOn) {
  if (!is_installed("redis-server")) {
    GTEST_SKIP() << "no redis-server here";
  }
  const std::string pid_file = sandbox_.root() + "/redis.pid";
  const std::string socket = sandbox_.root() + "/redis.sock";
  expect_quick(sandbox_.run({"make", "call", "redis-server", "--port", "0", "--unixsocket", socket,
                             "--daemonize", "yes", "--pidfile", pid_file, "--save", "", "--dir",
                             sandbox_.root(), "--logfile", sandbox_.root() + "/redis.log", "end"}));
  pid_t pid = 0;
  ASSERT_TRUE(eventually([&] { return (std::ifstream{pid_file} >> pid) && pid > 0; }));
  EXPECT_TRUE(is_alive(pid));
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(socket); }));
  ::kill(pid, SIGTERM);
}

TEST_P(RealDaemonsTest, TmuxServerLivesOn) {
  if (!is_installed("tmux")) {
    GTEST_SKIP() << "no tmux here";
  }
  sandbox_.set_environment("TMUX_TMPDIR", sandbox_.root() + "/tmp");
  expect_quick(sandbox_.run({"make", "call", "tmux", "-f", "/dev/null", "new-session", "-d", "-s",
                             "lane", "cat", "end"}));
  EXPECT_EQ(sandbox_.run({"tmux", "list-sessions", "-F", "#S"}).out, "lane\n");
  EXPECT_TRUE(sandbox_.run({"tmux", "kill-server"}).exited_with(0));
}

TEST_P(RealDaemonsTest, TheCredentialCacheLivesOnAndAnswers) {
  sandbox_.use_real("git");
  sandbox_.add_plain_tool("probe");
  const std::string secret =
      "protocol=https\\nhost=example.org\\nusername=ada\\npassword=s3cret\\n";
  expect_quick(sandbox_.run(
      {"make", "call", "sh", "-c",
       "printf '" + secret + "' | git -c credential.helper=cache credential approve", "end"}));
  const Ended filled = sandbox_.run({"sh", "-c",
                                     "printf 'protocol=https\\nhost=example.org\\n\\n' | "
                                     "git -c credential.helper=cache credential fill"});
  EXPECT_THAT(filled.out, HasSubstr("password=s3cret"));
  (void)sandbox_.run({"git", "credential-cache", "exit"});
}

/// The server refuses to run as root, so a root test runs it as somebody else.
class PostgresTest : public RealDaemonsTest {
 protected:
  static std::string programs() {
    for (const char* version : {"17", "16", "15", "14", "13"}) {
      std::string path = std::string{"/usr/lib/postgresql/"} + version + "/bin";
      if (std::filesystem::exists(path + "/pg_ctl")) {
        return path;
      }
    }
    return {};
  }

  [[nodiscard]] std::string data() const { return sandbox_.root() + "/pg"; }

  std::vector<std::string> as_nobody(std::vector<std::string> words) const {
    words.insert(words.begin(), {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"});
    return words;
  }

  void make_cluster() {
    ::chmod(sandbox_.root().c_str(), 0711);
    std::filesystem::create_directory(data());
    ASSERT_EQ(::chown(data().c_str(), 65534, 65534), 0);
    Start in_data;
    in_data.directory = data();
    const Ended made = sandbox_.run(
        as_nobody({programs() + "/initdb", "-D", data(), "-A", "trust", "--no-sync"}), in_data);
    ASSERT_TRUE(made.exited_with(0)) << made.err;
  }

  void expect_start_to_last(const std::vector<std::string>& more) {
    std::vector<std::string> start = as_nobody({programs() + "/pg_ctl", "start", "-w", "-D", data(),
                                                "-o", "-c listen_addresses='' -k " + data()});
    start.insert(start.begin(), {"make", "call"});
    start.insert(start.end(), more.begin(), more.end());
    start.push_back("end");
    expect_quick(sandbox_.run(start));
    EXPECT_TRUE(
        sandbox_.run(as_nobody({programs() + "/pg_ctl", "status", "-D", data()})).exited_with(0));
    EXPECT_TRUE(
        sandbox_.run(as_nobody({programs() + "/pg_ctl", "stop", "-m", "immediate", "-D", data()}))
            .exited_with(0));
  }
};

INSTANTIATE_TEST_SUITE_P(Both, PostgresTest, testing::Values(Mode::Direct, Mode::Shim),
                         [](const auto& each) { return name_of(each.param); });

TEST_P(PostgresTest, TheServerLivesOnWithAndWithoutALog) {
  if (programs().empty() || ::geteuid() != 0) {
    GTEST_SKIP() << "needs PostgreSQL's server programs and root";
  }
  ASSERT_NO_FATAL_FAILURE(make_cluster());
  expect_start_to_last({"-l", data() + "/log"});
  expect_start_to_last({});
}

}  // namespace
}  // namespace onelane::test
