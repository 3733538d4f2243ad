#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/tool/find.hpp"

namespace onelane::tool {

namespace fs = std::filesystem;

/// Directories a, b, c … below a temporary one, which becomes the current directory.
class FindTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "onelane-find-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    home_ = fs::current_path();
    dir_ = fs::canonical(pattern);
    fs::current_path(dir_);
  }
  void TearDown() override {
    fs::current_path(home_);
    fs::remove_all(dir_);
  }

  std::string script(const std::string& path, const std::string& text = "exit 0") {
    fs::create_directories((dir_ / path).parent_path());
    std::ofstream{dir_ / path} << "#!/bin/sh\n" << text << '\n';
    fs::permissions(dir_ / path, fs::perms{0755});
    return dir_ / path;
  }
  void shim(const std::string& path) {
    fs::create_directories((dir_ / path).parent_path());
    fs::create_symlink(fs::read_symlink("/proc/self/exe"), dir_ / path);
  }
  /// PATH with these directories; an entry that starts with '=' is taken literally.
  std::string path_of(const std::vector<std::string>& entries) const {
    std::string out;
    for (const auto& entry : entries) {
      out +=
          (out.empty() ? "" : ":") + (entry[0] == '=' ? entry.substr(1) : (dir_ / entry).string());
    }
    return out;
  }
  static Found find(const std::string& path, const std::string& at = {},
                    std::vector<std::string> args = {}, bool restarts = false) {
    std::vector<char*> argv;
    for (auto& arg : args) {
      argv.push_back(arg.data());
    }
    return find_real({"make", path.c_str(), at.empty() ? nullptr : at.c_str(), argv, restarts});
  }

  fs::path dir_;
  fs::path home_;
};

}  // namespace onelane::tool
