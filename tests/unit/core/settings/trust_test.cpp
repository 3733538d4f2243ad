#include "core/settings/trust.hpp"

#include <gmock/gmock.h>

#include "core/sys/error.hpp"
#include "tests/unit/core/settings/sandbox.hpp"

namespace onelane::settings {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TrustTest : public SandboxTest {
 protected:
  [[nodiscard]] std::string directory() const { return trust_directory(home(), nullptr); }

  void write_and_trust(const std::string& path, const std::string& text) {
    write(path, text);
    trust(directory(), path, text);
  }
};

TEST_F(TrustTest, TrustAppliesToOneContentUnderOnePath) {
  write(toml(), "a");
  EXPECT_FALSE(is_trusted(directory(), toml(), "a"));
  trust(directory(), toml(), "a");
  trust(directory(), toml(), "a");
  EXPECT_TRUE(is_trusted(directory(), toml(), "a"));
  EXPECT_FALSE(is_trusted(directory(), toml(), "b")) << "an edit revokes";
  EXPECT_FALSE(is_trusted(directory(), base_ + "/onelane.toml", "a")) << "a move revokes";
  EXPECT_TRUE(is_trusted(directory(), root() + "/../project/onelane.toml", "a"));
}

TEST_F(TrustTest, TheStoreIsTheUsersAlone) {
  trust(directory(), toml(), "a");
  struct stat info {};
  ASSERT_EQ(::stat(directory().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
  for (const auto& entry : std::filesystem::directory_iterator{directory()}) {
    ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    std::filesystem::permissions(entry.path(), std::filesystem::perms{0666});
  }
  EXPECT_FALSE(is_trusted(directory(), toml(), "a")) << "others may write it";
}

TEST_F(TrustTest, AStoreThatCannotBeMadeIsNamed) {
  write(base_ + "/file", "");
  EXPECT_THROW(trust(base_ + "/file/trust", toml(), "a"), sys::SystemError);
  EXPECT_THROW(trust("", toml(), "a"), sys::SystemError);
  EXPECT_FALSE(is_trusted("", toml(), "a"));
}

TEST_F(TrustTest, XdgDataHomeMovesTheStore) {
  const Environment data = [](const char*) { return "/data"; };
  const Environment relative = [](const char*) { return "data"; };
  EXPECT_EQ(trust_directory("/h", data), "/data/onelane/trust");
  EXPECT_EQ(trust_directory("/h", relative), "/h/.local/share/onelane/trust");
  EXPECT_EQ(trust_directory("", relative), "");
}

TEST_F(TrustTest, LooseningABuiltInToolNeedsTrust) {
  for (const std::string tool : {"git", "pytest"}) {
    const auto text = "[tools." + tool + "]\nclass = \"pass\"\npass = [\"a\"]\nservice = [\"b\"]\n";
    write(toml(), text);
    const auto [s, problems] = loaded();
    EXPECT_EQ(problems.size(), 3U);
    for (const auto& problem : problems) {
      EXPECT_THAT(problem.text, HasSubstr("what loosens " + tool + " needs `onelane trust`"));
    }
    EXPECT_THAT(s.tools.at(tool).pass, IsEmpty());
    EXPECT_THAT(s.tools.at(tool).service, IsEmpty());
    EXPECT_EQ(s.tools.at(tool).fallback_class, "lane");
    trust(directory(), toml(), text);
    EXPECT_THAT(loaded().problems, IsEmpty());
    EXPECT_THAT(loaded().settings.tools.at(tool).pass, ElementsAre("a"));
    EXPECT_TRUE(loaded().settings.tools.at(tool).trusted);
  }
}

TEST_F(TrustTest, WithoutAListOfPoliciesEveryToolMayHaveOne) {
  write(toml(), "[tools.ruff]\npass = [\"a\"]\n");
  Request request = this->request();
  request.has_policy = nullptr;
  EXPECT_EQ(load(request).problems.size(), 1U);
}

TEST_F(TrustTest, AProjectsOwnToolsNeedNoTrust) {
  write(toml(), "[tools.cargo]\nclass = \"pass\"\nservice = [\"watch\"]\n");
  const auto [s, problems] = loaded();
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_EQ(s.tools.at("cargo").fallback_class, "pass");
  EXPECT_THAT(s.tools.at("cargo").service, ElementsAre("watch"));
}

TEST_F(TrustTest, ToolPathsNeedTrustAndAnEditRevokesIt) {
  write_and_trust(toml(), "[tools.cargo]\nreal = \"bin/cargo\"\n");
  EXPECT_EQ(loaded().settings.tools.at("cargo").real, root() + "/bin/cargo");
  write(toml(), "[tools.cargo]\nreal = \"bin/evil\"\n");
  const auto [s, problems] = loaded();
  EXPECT_EQ(s.tools.at("cargo").real, "");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].where.key, "tools.cargo.real");
  EXPECT_EQ(problems[0].where.line, 2);
}

TEST_F(TrustTest, TheUsersOwnFileNeedsNoTrust) {
  write(user_toml(), "[tools.git]\npass = [\"gc\"]\nreal = \"/opt/git\"\n");
  write(toml(), "[tools.git]\npass = [\"commit\"]\n");
  const auto s = loaded().settings;
  EXPECT_THAT(s.tools.at("git").pass, ElementsAre("gc"));
  EXPECT_EQ(s.tools.at("git").real, "/opt/git");
}

TEST_F(TrustTest, DirectoriesOutsideTheProjectNeedTrust) {
  std::filesystem::create_directory_symlink(base_, root() + "/link");
  for (const std::string path : {"../x", "/etc", "a/../../x", "link/x", "link"}) {
    const auto text = "# onelane\nSEQUENTIAL_LOCK_BASE_DIR=" + path + "\nLOG_DIR=" + path + "\n";
    write(dotenv(), text);
    const auto [s, problems] = loaded();
    EXPECT_EQ(s.lock_base_dir.value, "") << path;
    EXPECT_EQ(s.log_dir.value, "") << path;
    ASSERT_EQ(problems.size(), 2U) << path;
    EXPECT_THAT(problems[0].text, HasSubstr("needs `onelane trust`"));
    trust(directory(), dotenv(), text);
    EXPECT_NE(loaded().settings.lock_base_dir.value, "") << path;
  }
}

TEST_F(TrustTest, DirectoriesInsideTheProjectNeedNoTrust) {
  write(toml(), "log_dir = \"./a/../logs\"\nsequential_lock_base_dir = \".locks\"\n");
  const auto [s, problems] = loaded();
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_EQ(s.log_dir.value, root() + "/logs");
  EXPECT_EQ(s.lock_base_dir.value, root() + "/.locks");
}

}  // namespace
}  // namespace onelane::settings
