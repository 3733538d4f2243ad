#include "core/guard/cgroup.hpp"

#include <gtest/gtest.h>

namespace onelane::guard {
namespace {

constexpr std::string_view kProc = "22 1 0:21 / /proc rw,nosuid - proc proc rw\n";
constexpr std::string_view kUnified =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

std::string lines(std::initializer_list<std::string_view> all) {
  std::string out;
  for (const std::string_view line : all) {
    out += line;
  }
  return out;
}

TEST(OwnGroupsTest, AHostWithV2OnlyHasNoV1) {
  const auto own = own_groups(lines({kProc, kUnified}), "0::/user.slice/session-3.scope\n");
  EXPECT_EQ(own.v2.directory, "/sys/fs/cgroup/user.slice/session-3.scope");
  EXPECT_EQ(own.v2.path, "/user.slice/session-3.scope");
  EXPECT_EQ(own.v1_memory.directory, "");
  EXPECT_EQ(own.v1_cpu.directory, "");
}

TEST(OwnGroupsTest, AHostWithV1OnlyHasMemoryAndCpuApart) {
  const auto own = own_groups(
      "31 30 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
      "32 30 0:28 / /sys/fs/cgroup/memory rw shared:9 master:2 - cgroup cgroup rw,memory\n"
      "33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n",
      "5:memory:/a\n4:cpu,cpuacct:/b\n1:name=systemd:/c\n");
  EXPECT_EQ(own.v1_memory.directory, "/sys/fs/cgroup/memory/a");
  EXPECT_EQ(own.v1_cpu.directory, "/sys/fs/cgroup/cpu,cpuacct/b");
  EXPECT_EQ(own.v2.directory, "");
}

TEST(OwnGroupsTest, AHybridHostHasBoth) {
  const auto own = own_groups(
      "32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "41 30 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
      "4:memory:/build\n0::/init.scope\n");
  EXPECT_EQ(own.v1_memory.directory, "/sys/fs/cgroup/memory/build");
  EXPECT_EQ(own.v2.directory, "/sys/fs/cgroup/unified/init.scope");
}

TEST(OwnGroupsTest, InsideACgroupNamespaceOurGroupIsTheMountPoint) {
  const auto own = own_groups(kUnified, "0::/\n");
  EXPECT_EQ(own.v2.directory, "/sys/fs/cgroup");
  EXPECT_EQ(own.v2.path, "/");
}

TEST(OwnGroupsTest, APartialMountShowsOnlyGroupsBelowItsRoot) {
  const std::string mounts =
      "40 30 0:28 /docker/1f /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
  EXPECT_EQ(own_groups(mounts, "4:memory:/docker/1f\n").v1_memory.directory,
            "/sys/fs/cgroup/memory");
  EXPECT_EQ(own_groups(mounts, "4:memory:/docker/1f/job\n").v1_memory.directory,
            "/sys/fs/cgroup/memory/job");
  EXPECT_EQ(own_groups(mounts, "4:memory:/docker/1f2\n").v1_memory.directory, "");
  EXPECT_EQ(own_groups(mounts, "4:memory:/\n").v1_memory.directory, "");
}

TEST(OwnGroupsTest, AGroupAboveOurCgroupNamespaceIsIgnored) {
  EXPECT_EQ(own_groups(kUnified, "0::/../other\n").v2.directory, "");
  EXPECT_EQ(own_groups("30 23 0:26 /.. /cg rw - cgroup2 cgroup2 rw\n", "0::/\n").v2.directory, "");
}

TEST(OwnGroupsTest, EscapedCharactersAreReadBack) {
  const auto own =
      own_groups(R"(30 23 0:26 /a\040b /mnt/x\011\134040y rw - cgroup2 none\040of\043 rw)"
                 "\n",
                 "0::/a b/c:d\n");
  EXPECT_EQ(own.v2.directory, "/mnt/x\t\\040y/c:d");
}

TEST(OwnGroupsTest, AV1HierarchyThatWouldChangeMoreThanTheAccountingIsIgnored) {
  const std::string text = "4:cpuset,memory:/\n3:cpu,memory:/\n";
  EXPECT_EQ(
      own_groups("32 30 0:28 / /m rw - cgroup cgroup rw,cpuset,memory\n", text).v1_memory.directory,
      "");
  const auto together =
      own_groups("32 30 0:28 / /m rw - cgroup cgroup rw,cpu,memory\n", "3:cpu,memory:/\n");
  EXPECT_EQ(together.v1_memory.directory, "");
  EXPECT_EQ(together.v1_cpu.directory, "");
}

TEST(OwnGroupsTest, AnEarlierMountOnTheSamePointIsHidden) {
  const auto own = own_groups(
      lines({kUnified, "50 30 0:26 /x /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"}), "0::/x/y\n");
  EXPECT_EQ(own.v2.directory, "/sys/fs/cgroup/y");
}

TEST(OwnGroupsTest, RubbishHasNoGroups) {
  for (const std::string_view text :
       {"", "\n\n", " - cgroup2", "0", "0:", "::::", "a b - cgroup"}) {
    const auto own = own_groups(text, text);
    EXPECT_EQ(own.v2.directory + own.v1_memory.directory + own.v1_cpu.directory, "") << text;
  }
}

TEST(PathInTest, EachHierarchyHasItsOwnLine) {
  constexpr std::string_view kText = "4:memory:/m\n2:cpuacct,cpu:/c\n1:name=memory:/n\n0::/u\n";
  EXPECT_EQ(path_in(kText, Hierarchy::V1Memory), "/m");
  EXPECT_EQ(path_in(kText, Hierarchy::V1Cpu), "/c");
  EXPECT_EQ(path_in(kText, Hierarchy::V2), "/u");
  EXPECT_EQ(path_in("0::/u\n", Hierarchy::V1Memory), "");
}

}  // namespace
}  // namespace onelane::guard
