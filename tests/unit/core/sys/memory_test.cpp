#include "core/sys/memory.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/sys/file_descriptor.hpp"

namespace onelane::sys {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

/// A group of ours in the v1 memory hierarchy (cgroups(7)), empty and with a limit.
class LimitedGroupTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string own = read_small_file("/proc/self/cgroup", 65536).value_or("");
    const std::size_t at = own.find(":memory:");
    if (at == std::string::npos) {
      GTEST_SKIP() << "no memory hierarchy of control groups v1";
    }
    const std::string path = own.substr(at + 8, own.find('\n', at) - at - 8);
    const std::string made =
        "/sys/fs/cgroup/memory" + path + "/onelane-test-" + std::to_string(::getpid());
    if (::mkdir(made.c_str(), 0755) != 0) {
      GTEST_SKIP() << "may not make a control group in " << path;
    }
    group_ = made;
    if (!write("memory.limit_in_bytes", "128M") || figure("memory.limit_in_bytes") != 128 * kMiB) {
      GTEST_SKIP() << "may not limit a control group";
    }
  }
  void TearDown() override {
    if (!group_.empty()) {
      (void)write("memory.force_empty", "0");
      EXPECT_EQ(::rmdir(group_.c_str()), 0) << group_;
    }
  }

  [[nodiscard]] bool write(const char* leaf, const std::string& text) const {
    std::ofstream file{group_ + "/" + leaf};
    file << text << std::flush;
    return file.good();
  }
  [[nodiscard]] std::uint64_t figure(const char* leaf) const {
    return std::strtoull(read_small_file((group_ + "/" + leaf).c_str(), 64).value_or("").c_str(),
                         nullptr, 10);
  }

  std::string group_;
};

/// Looks up files that do not exist: the kernel remembers each name, and drops them when it must.
void look_for_many(const fs::path& directory) {
  struct stat info {};
  std::array<char, 128> path{};  // not on the heap: a sanitizer would keep all of it
  for (int i = 0; i < 300'000; ++i) {
    std::snprintf(path.data(), path.size(), "%s/%d", directory.c_str(), i);
    (void)!::stat(path.data(), &info);
  }
}

TEST_F(LimitedGroupTest, DroppableKernelMemoryCountsAsLeft) {
  std::string directory = (fs::temp_directory_path() / "onelane-names-XXXXXX").string();
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const pid_t child = ::fork();  // because a process looks up its group only once
  if (child == 0) {
    if (!write("cgroup.procs", std::to_string(::getpid()))) {
      ::_exit(10);
    }
    look_for_many(directory);
    if (figure("memory.usage_in_bytes") < 40 * kMiB) {
      ::_exit(11);
    }
    const MachineMemory memory = machine_memory();
    ::_exit(memory.total == 128 * kMiB && memory.available >= 100 * kMiB ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  fs::remove(directory);
  ASSERT_TRUE(WIFEXITED(status)) << status;
  if (WEXITSTATUS(status) == 11) {
    GTEST_SKIP() << "the kernel does not charge names of files to the group here";
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace onelane::sys
