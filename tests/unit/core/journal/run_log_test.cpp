#include "core/journal/run_log.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>

#include "tests/unit/core/journal/scene.hpp"

namespace onelane::journal {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

constexpr const char* kId = "abcdefghijk";

class RunLogTest : public SceneTest {
 protected:
  [[nodiscard]] std::string logs() const { return at("logs"); }
  [[nodiscard]] std::string log_path() const { return logs() + "/" + kId + ".log"; }
  [[nodiscard]] std::string log_text() const { return text(log_path()); }
  [[nodiscard]] static mode_t mode_of(const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
  }
};

TEST_F(RunLogTest, AnUneventfulRunLeavesNothing) {
  { const RunLog log{logs(), kId}; }
  EXPECT_FALSE(std::filesystem::exists(logs()));
}

TEST_F(RunLogTest, ALineHasTimeLevelAndText) {
  RunLog log{logs(), kId};
  EXPECT_EQ(log.path(), log_path());
  log.write(Level::Warning, "ended 3 processes {} %s");
  EXPECT_TRUE(log.is_open());
  EXPECT_THAT(log_text(),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z WARN "
                           "ended 3 processes \\{\\} %s\n"));
  log.write(Level::Debug, "a");
  log.write(Level::Info, "b");
  log.write(Level::Error, "c");
  EXPECT_THAT(log_text(), HasSubstr("Z DEBUG a\n"));
  EXPECT_THAT(log_text(), HasSubstr("Z INFO b\n"));
  EXPECT_THAT(log_text(), HasSubstr("Z ERROR c\n"));
}

TEST_F(RunLogTest, InASharedRepositoryEachGroupMemberHasLogs) {
  ASSERT_EQ(::chmod(at("").c_str(), 02775), 0);
  RunLog{logs(), kId}.write(Level::Info, "x");
  EXPECT_EQ(mode_of(logs()), 02770U);
  EXPECT_EQ(mode_of(log_path()), 0600U) << "but not readable for others";
}

TEST_F(RunLogTest, TheTimeIsUtcInEveryTimeZone) {
  ::setenv("TZ", "JST-9", 1);
  ::tzset();
  // time() reads the coarse clock, which may be a tick behind the log's.
  const auto now = [] {
    return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  };
  const std::time_t before = now();
  RunLog{logs(), kId}.write(Level::Info, "x");
  const std::time_t after = now();
  ::unsetenv("TZ");
  ::tzset();
  std::tm parts{};
  ASSERT_NE(::strptime(log_text().c_str(), "%Y-%m-%dT%H:%M:%S", &parts), nullptr);
  EXPECT_GE(::timegm(&parts), before);
  EXPECT_LE(::timegm(&parts), after);
}

TEST_F(RunLogTest, DirectoryAndFileArePrivateWhateverTheUmask) {
  for (const mode_t mask : {mode_t{0}, mode_t{0777}}) {
    const mode_t before = ::umask(mask);
    RunLog log{at("a/b/logs"), kId};
    log.write(Level::Info, "x");
    ::umask(before);
    if (mask == 0 || ::geteuid() == 0) {
      EXPECT_EQ(mode_of(log.path()), 0600U);
    }
    if (mask == 0) {
      EXPECT_EQ(mode_of(at("a/b/logs")), 0700U);
      EXPECT_EQ(mode_of(at("a")), 0700U);
    }
    std::filesystem::remove_all(at("a"));
  }
}

TEST_F(RunLogTest, AHostileTextStaysOneHarmlessLine) {
  RunLog log{logs(), kId};
  log.write(Level::Info,
            "a\n2026-01-01T00:00:00.000Z ERROR fake\r\x1b[2J\x7f\u009b2J\xff\u00e9\"\\");
  const std::string all = log_text();
  EXPECT_EQ(all.find('\n'), all.size() - 1);
  EXPECT_THAT(all, HasSubstr(" INFO a?2026-01-01T00:00:00.000Z ERROR fake??[2J??2J?\u00e9\"\\\n"));
  log.write(Level::Info, std::string(1'000'000, 'x'));
  EXPECT_LT(log_text().size(), 20'000U);
}

TEST_F(RunLogTest, ALongLogIsPutAsideOnce) {
  RunLog log{logs(), kId};
  const std::string line(16'000, 'x');
  for (int i = 0; i < 1200; ++i) {  // 19 MB: two turns
    log.write(Level::Info, line);
  }
  log.write(Level::Info, "the last");
  EXPECT_THAT(log_text(), HasSubstr("the last\n"));
  EXPECT_LE(std::filesystem::file_size(log_path()), std::size_t{8} << 20);
  EXPECT_LE(std::filesystem::file_size(log_path() + ".1"), std::size_t{8} << 20);
  EXPECT_EQ(mode_of(log_path() + ".1"), 0600U);
  EXPECT_FALSE(std::filesystem::exists(log_path() + ".2"));
}

TEST_F(RunLogTest, ASecondWriterOfTheRunAppends) {
  RunLog{logs(), kId}.write(Level::Info, "first");
  RunLog{logs(), kId}.write(Level::Info, "second");
  EXPECT_THAT(log_text(), HasSubstr("first\n"));
  EXPECT_THAT(log_text(), HasSubstr("second\n"));
}

TEST_F(RunLogTest, LinksAndStrangeFilesAreRefused) {
  std::filesystem::create_directory(logs());
  write(at("elsewhere"), "");
  std::filesystem::create_symlink(at("elsewhere"), log_path());
  RunLog{logs(), kId}.write(Level::Info, "x");
  EXPECT_EQ(text(at("elsewhere")), "");
  std::filesystem::remove(log_path());
  std::filesystem::create_hard_link(at("elsewhere"), log_path());
  RunLog{logs(), kId}.write(Level::Info, "x");
  EXPECT_EQ(text(at("elsewhere")), "");
  std::filesystem::remove(log_path());
  ASSERT_EQ(::mkfifo(log_path().c_str(), 0600), 0);
  RunLog{logs(), kId}.write(Level::Info, "x");  // does not wait for a reader
  std::filesystem::remove_all(logs());
  std::filesystem::create_directory(at("other"));
  std::filesystem::create_directory_symlink(at("other"), logs());
  RunLog{logs(), kId}.write(Level::Info, "x");
  EXPECT_TRUE(std::filesystem::is_empty(at("other")));
}

TEST_F(RunLogTest, AfterTheFirstFailureItIsSilentForGood) {
  write(logs(), "");
  RunLog log{logs(), kId};
  log.write(Level::Info, "lost");
  std::filesystem::remove(logs());
  log.write(Level::Info, "lost too");
  EXPECT_FALSE(std::filesystem::exists(logs()));
}

TEST_F(RunLogTest, AFullDiskRaisesNoSignalAndSilencesTheLog) {
  const int status = in_child([&] {
    const auto err = sys::open_file(at("stderr"), O_WRONLY | O_CREAT);
    ::dup2(err.get(), 2);
    RunLog log{logs(), kId};
    log.write(Level::Info, "first");
    const struct rlimit small { 100, RLIM_INFINITY };
    ::setrlimit(RLIMIT_FSIZE, &small);
    ::signal(SIGXFSZ, SIG_DFL);
    log.write(Level::Info, std::string(200, 'x'));
    const struct rlimit large { RLIM_INFINITY, RLIM_INFINITY };
    ::setrlimit(RLIMIT_FSIZE, &large);
    log.write(Level::Info, "late");
    return 0;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(text(at("stderr")), "");
  EXPECT_THAT(log_text(), HasSubstr("first\n"));
  EXPECT_THAT(log_text(), Not(HasSubstr("late")));
}

TEST_F(RunLogTest, AnInvalidRunIdOrRelativePathNamesNoFile) {
  for (const char* id : {"", "../../../ab", "abc"}) {
    RunLog{logs(), id}.write(Level::Info, "x");
  }
  RunLog{"logs", kId}.write(Level::Info, "x");
  EXPECT_FALSE(std::filesystem::exists(logs()));
  EXPECT_FALSE(std::filesystem::exists("logs"));
}

TEST_F(RunLogTest, ItsDescriptorsAreOutOfTheWayAndClosed) {
  const auto open_count = [] {
    return std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {});
  };
  const auto before = open_count();
  const int next = ::dup(2);
  ::close(next);
  {
    RunLog log{logs(), kId};
    log.write(Level::Info, "x");
    const int now = ::dup(2);
    ::close(now);
    EXPECT_EQ(now, next) << "a low descriptor was taken";
  }
  EXPECT_EQ(open_count(), before);
}

}  // namespace
}  // namespace onelane::journal
