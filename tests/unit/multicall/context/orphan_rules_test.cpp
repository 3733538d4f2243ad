#include "multicall/context/orphan_rules.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "core/journal/journal.hpp"
#include "core/lane/ticket.hpp"

namespace onelane::multicall {
namespace {

namespace fs = std::filesystem;

/// Bytes that this process has read so far (proc(5), /proc/PID/io); nullopt if unknown.
std::optional<std::uintmax_t> bytes_read() {
  std::ifstream io{"/proc/self/io"};
  std::string name;
  std::uintmax_t bytes = 0;
  return io >> name >> bytes ? std::optional{bytes} : std::nullopt;
}

/// A project with a long journal without a record, and the lane of another project.
class RunBookTest : public testing::Test {
 protected:
  static constexpr std::uintmax_t kLong = std::uintmax_t{64} << 20U;

  RunBookTest() {
    std::string pattern = (fs::temp_directory_path() / "book-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    fs::create_directories(root_ + "/other/onelane");
    lanes_.project.state_dir = root_ + "/shop";
    fs::create_directory(lanes_.project.state_dir);
    const std::string journal = lanes_.project.state_dir + "/" + journal::kJournalName;
    std::ofstream{journal}.close();
    fs::resize_file(journal, kLong);
  }
  ~RunBookTest() override { fs::remove_all(root_); }

  std::string root_;
  LanesHere lanes_;
};

TEST_F(RunBookTest, TheJournalIsNotReadForALiveRunOfAnotherLane) {
  if (!bytes_read()) {
    GTEST_SKIP() << "this kernel does not count what a process reads";
  }
  const lane::Table other{root_ + "/other/onelane", 0600};
  lane::Ticket live{other, {}};
  ASSERT_EQ(live.advance(), lane::Step::Started);
  const RunBook book = run_book(lanes_);
  const auto before = bytes_read();
  EXPECT_FALSE(book.has(lane::view(live.run_id())));
  EXPECT_EQ(book.owner(lane::view(live.run_id())), std::nullopt);
  EXPECT_LT(*bytes_read() - *before, kLong / 2);
  EXPECT_FALSE(book.has("aaaaaaaaaaa"));
  EXPECT_GE(*bytes_read() - *before, kLong) << "of this run it has to be sure";
}

}  // namespace
}  // namespace onelane::multicall
