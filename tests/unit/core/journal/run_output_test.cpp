#include "core/journal/run_output.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/unit/core/journal/scene.hpp"

namespace onelane::journal {
namespace {

constexpr const char* kOutputId = "abcdefghijk";

class RunOutputTest : public SceneTest {
 protected:
  [[nodiscard]] std::string path() const { return at("logs/abcdefghijk.out"); }
};

TEST_F(RunOutputTest, ARunThatWritesNothingLeavesNothing) {
  { const RunOutput output{at("logs"), kOutputId, {}}; }
  EXPECT_FALSE(std::filesystem::exists(at("logs")));
}

TEST_F(RunOutputTest, BytesAreKeptUnchangedAndPrivate) {
  RunOutput output{at("logs"), kOutputId, {}};
  const std::string bytes{"a\0\x1b[1m\xff\n", 8};
  output.write(bytes);
  output.write("b");
  EXPECT_EQ(text(path()), bytes + "b");
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(RunOutputTest, ItsSizeIsBounded) {
  RunOutput output{at("logs"), kOutputId, {}};
  const std::string megabyte(std::size_t{1} << 20U, 'x');
  for (int i = 0; i < 20; ++i) {
    output.write(megabyte);
    EXPECT_EQ(output.is_whole(), i < 8);
  }
  EXPECT_EQ(std::filesystem::file_size(path()), 4 * megabyte.size());
  EXPECT_EQ(std::filesystem::file_size(path() + ".1"), 8 * megabyte.size());
}

TEST_F(RunOutputTest, AnInvalidRunIdNeverBecomesAFile) {
  RunOutput output{at("logs"), "../escaped", {}};
  output.write("text");
  EXPECT_FALSE(std::filesystem::exists(at("logs")));
}

TEST_F(RunOutputTest, ALinkInItsPlaceIsNotFollowed) {
  std::filesystem::create_directory(at("logs"));
  write(at("target"), "");
  std::filesystem::create_symlink(at("target"), path());
  RunOutput output{at("logs"), kOutputId, {}};
  output.write("text");
  EXPECT_EQ(text(at("target")), "");
}

}  // namespace
}  // namespace onelane::journal
