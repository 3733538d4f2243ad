#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace onelane::project {

/// A temporary directory with real repositories in it; it becomes the current directory.
class RepositoriesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "onelane-project-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    home_ = std::filesystem::current_path();
    dir_ = std::filesystem::canonical(pattern);
    std::filesystem::current_path(dir_);
    for (const char* name : {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"}) {
      ::unsetenv(name);
    }
    ::setenv("GIT_CEILING_DIRECTORIES", dir_.parent_path().c_str(), 1);
    ::setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    ::setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
  }
  void TearDown() override {
    std::filesystem::current_path(home_);
    std::filesystem::remove_all(dir_);
  }

  /// Runs a shell command line in the temporary directory; it must succeed.
  void run(const std::string& command) const {
    const std::string line = "cd '" + dir_.string() + "' && { " + command + "; } >out 2>&1";
    ASSERT_EQ(std::system(line.c_str()), 0) << command << '\n' << text("out");
  }
  /// A repository with one commit.
  void repository(const std::string& name) const {
    run("git init -q " + name + " && git -C " + name + " " + kCommit);
  }
  [[nodiscard]] std::string text(const std::string& path) const {
    std::ifstream in{dir_ / path};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((dir_ / path).parent_path());
    std::ofstream{dir_ / path, std::ios::binary} << text;
  }
  void make_directory(const std::string& path) const {
    std::filesystem::create_directories(dir_ / path);
  }
  [[nodiscard]] std::string at(const std::string& path) const { return dir_ / path; }

  static constexpr const char* kCommit =
      "-c user.name=n -c user.email=e commit -q --allow-empty -m first";

  std::filesystem::path dir_;
  std::filesystem::path home_;
};

}  // namespace onelane::project
