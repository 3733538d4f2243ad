#include <string_view>

#include "tests/unit/shims/policy_rows.hpp"

namespace onelane::test {
namespace {

bool reads_input(std::string_view tool, std::string_view line) {
  return decide(tool, line, at_terminal()).reads_input;
}

TEST(InputPolicyTest, CallsThatReadTheirWorkFromStandardInput) {
  for (const std::string_view line : {"update-index --index-info",
                                      "update-index -z --index-info",
                                      "update-index --add --stdin",
                                      "update-ref --stdin",
                                      "update-ref -z --stdin",
                                      "fast-import",
                                      "fast-import --quiet",
                                      "hash-object -w --stdin-paths",
                                      "hash-object -w --stdin",
                                      "apply",
                                      "apply --index",
                                      "apply -p1 -",
                                      "am",
                                      "am -3",
                                      "am --keep-cr -",
                                      "commit -F -",
                                      "commit -aF -",
                                      "commit --file=-",
                                      "commit --file -",
                                      "commit -q -F-",
                                      "merge -F - topic",
                                      "tag -F - v1",
                                      "notes add -F -",
                                      "unpack-objects",
                                      "pack-objects pack",
                                      "index-pack --stdin",
                                      "checkout-index --stdin",
                                      "add --pathspec-from-file=-",
                                      "rm --pathspec-from-file -",
                                      "commit-graph write --stdin-commits",
                                      "-C sub update-index --index-info"}) {
    EXPECT_TRUE(reads_input("git", line)) << line;
  }
  for (const std::string_view line :
       {"-f -", "-f - all", "-sf-", "--file=-", "--makefile -", "-C sub -f -"}) {
    EXPECT_TRUE(reads_input("make", line)) << line;
  }
}

TEST(InputPolicyTest, CallsThatDoNot) {
  for (const std::string_view line : {"update-index --refresh",
                                      "update-ref refs/heads/x HEAD",
                                      "hash-object -w file",
                                      "apply fix.patch",
                                      "apply -p1 a b",
                                      "am one.mbox",
                                      "am --abort",
                                      "am --continue",
                                      "am -r",
                                      "am --skip",
                                      "commit -m x",
                                      "commit -F message",
                                      "commit --file=message",
                                      "add -- --stdin",
                                      "add .",
                                      "merge topic",
                                      "stash",
                                      "tag v1",
                                      "mktree",
                                      "cat-file --batch --stdin",
                                      "hash-object --stdin",
                                      "log --stdin"}) {
    EXPECT_FALSE(reads_input("git", line)) << line;
  }
  for (const std::string_view line : {"test", "-f Makefile", "-", "--file=a", "-C -"}) {
    EXPECT_FALSE(reads_input("make", line)) << line;
  }
  EXPECT_FALSE(reads_input("pytest", "-"));
  EXPECT_FALSE(reads_input("npm", "test"));
  EXPECT_FALSE(reads_input("vitest", "run"));
}

}  // namespace
}  // namespace onelane::test
