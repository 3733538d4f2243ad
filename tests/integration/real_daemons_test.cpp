#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/integration/lane_scene.hpp"

namespace onelane::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

/// LINGER is twenty seconds, so that a run that waits for a daemon cannot pass for a quick one.
constexpr milliseconds kNoDelay{8'000};

bool is_installed(const std::string& program) {
  return std::filesystem::exists("/usr/bin/" + program);
}

/// In one word: make would read `--dir` as its own.
std::string redis_line(const Sandbox& sandbox) {
  const std::string& root = sandbox.root();
  return "exec redis-server --port 0 --unixsocket " + root +
         "/redis.sock --daemonize yes --save '' --dir " + root + " --logfile " + root +
         "/redis.log";
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
  expect_quick(sandbox_.run(
      {"make", "call", "sh", "-c", redis_line(sandbox_) + " --pidfile " + pid_file, "end"}));
  pid_t pid = 0;
  ASSERT_TRUE(eventually([&] { return (std::ifstream{pid_file} >> pid) && pid > 0; }));
  EXPECT_TRUE(is_alive(pid));
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(socket); }));
  ::kill(pid, SIGTERM);
}

/// The pid in `file`; waits for it.
pid_t pid_in(const std::string& file) {
  pid_t pid = 0;
  EXPECT_TRUE(eventually([&] { return (std::ifstream{file} >> pid) && pid > 0; })) << file;
  return pid;
}

/// What `onelane stop` does to a run that has started real daemons and goes on.
class StoppedDaemonsTest : public testing::Test {
 protected:
  StoppedDaemonsTest() { sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "2"); }

  /// Starts `argv`, waits for `pid_file` and stops the run.
  nlohmann::json stop(const std::vector<std::string>& argv, const std::string& pid_file) {
    Running run = sandbox_.start(argv);
    pid_ = pid_in(pid_file);
    EXPECT_TRUE(eventually([&] { return !started().is_null(); }));
    id_ = started();
    stopped_ = sandbox_.run({onelane_of(sandbox_), "stop", id_, "--json"});
    (void)run.wait();
    return nlohmann::json::parse(stopped_.out);
  }
  /// Id of the holder or service.
  nlohmann::json started() {
    const nlohmann::json status = status_of(sandbox_);
    return !status["holder"].is_null()  ? status["holder"]["id"]
           : status["services"].empty() ? nlohmann::json{}
                                        : status["services"][0]["id"];
  }

  /// `npm run dev`, which is a node that spawns a sleep with `options`.
  std::vector<std::string> service_with(const std::string& options) {
    sandbox_.use_real("npm");
    std::ofstream{sandbox_.project() + "/package.json"} << R"({"scripts":{"dev":"node dev.js"}})";
    std::ofstream{sandbox_.project() + "/dev.js"}
        << "const child = require('child_process').spawn('sleep', ['300'], {" << options << "});\n"
        << "require('fs').writeFileSync('sleep.pid', child.pid + '\\n');\n"
        << "setInterval(() => {}, 1000);\n";
    return {"npm", "run", "dev"};
  }

  Sandbox sandbox_{Mode::Shim};
  Ended stopped_;
  pid_t pid_ = 0;
  std::string id_;
};

TEST_F(StoppedDaemonsTest, AChildOfNodeWithItsStdioIgnoredIsEnded) {
  if (!is_installed("node") || !is_installed("npm")) {
    GTEST_SKIP() << "no node and npm here";
  }
  const auto said = stop(service_with("stdio: 'ignore'"), sandbox_.project() + "/sleep.pid");
  EXPECT_TRUE(stopped_.exited_with(0)) << stopped_.out << stopped_.err;
  EXPECT_TRUE(said["kept"].empty()) << said;
  EXPECT_FALSE(is_alive(pid_));
}

TEST_F(StoppedDaemonsTest, ADetachedOneIsNamed) {
  if (!is_installed("node") || !is_installed("npm")) {
    GTEST_SKIP() << "no node and npm here";
  }
  const auto said =
      stop(service_with("stdio: 'ignore', detached: true"), sandbox_.project() + "/sleep.pid");
  EXPECT_TRUE(stopped_.exited_with(1)) << stopped_.out << stopped_.err;
  ASSERT_EQ(said["kept"].size(), 1U) << said;
  EXPECT_EQ(
      said["kept"][0],
      (nlohmann::json{{"pid", pid_}, {"command", "sleep 300"}, {"run", id_}, {"why", "detached"}}));
  EXPECT_TRUE(is_alive(pid_));
  EXPECT_TRUE(sandbox_.run({onelane_of(sandbox_), "stop", "--everything", "--yes"}).exited_with(0));
  EXPECT_FALSE(is_alive(pid_));
}

TEST_F(StoppedDaemonsTest, RedisIsNamedInTextAndInJson) {
  if (!is_installed("redis-server")) {
    GTEST_SKIP() << "no redis-server here";
  }
  const std::string pid_file = sandbox_.root() + "/redis.pid";
  Gate gate{sandbox_};
  const auto said =
      stop({"make", "call", "sh", "-c", redis_line(sandbox_) + " --pidfile " + pid_file, "end",
            "hold-until", gate.path()},
           pid_file);
  EXPECT_TRUE(stopped_.exited_with(1)) << stopped_.out << stopped_.err;
  ASSERT_EQ(said["kept"].size(), 1U) << said;
  EXPECT_EQ(said["kept"][0]["pid"], pid_);
  EXPECT_THAT(said["kept"][0]["command"].get<std::string>(), HasSubstr("redis-server"));
  EXPECT_EQ(said["kept"][0]["run"], id_);
  EXPECT_EQ(said["kept"][0]["why"], "listed");
  EXPECT_TRUE(is_alive(pid_));
  const Ended again = sandbox_.run({onelane_of(sandbox_), "stop", id_});
  EXPECT_TRUE(again.exited_with(1));
  EXPECT_THAT(again.out,
              HasSubstr("(pid " + std::to_string(pid_) + "), which is on the keep list\n"));
  EXPECT_TRUE(sandbox_.run({onelane_of(sandbox_), "stop", "--everything", "--yes"}).exited_with(0));
  EXPECT_FALSE(is_alive(pid_));
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

/// The server refuses to run as root, so a test as root runs it as another user.
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
