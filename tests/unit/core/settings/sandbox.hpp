#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "core/settings/settings.hpp"

namespace onelane::settings {

/// A project and a home in a temporary directory, with an environment of its own.
class SandboxTest : public testing::Test {
 protected:
  SandboxTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "settings-XXXXXX").string();
    base_ = ::mkdtemp(pattern.data());
    std::filesystem::create_directories(base_ + "/project");
    std::filesystem::create_directories(base_ + "/home/.config/onelane");
  }
  ~SandboxTest() override { std::filesystem::remove_all(base_); }

  static void write(const std::string& path, const std::string& text) {
    std::ofstream{path, std::ios::binary} << text;
  }
  [[nodiscard]] std::string root() const { return base_ + "/project"; }
  [[nodiscard]] std::string home() const { return base_ + "/home"; }
  [[nodiscard]] std::string toml() const { return root() + "/onelane.toml"; }
  [[nodiscard]] std::string dotenv() const { return root() + "/.env.development"; }
  [[nodiscard]] std::string user_toml() const { return home() + "/.config/onelane/config.toml"; }

  [[nodiscard]] Request request(Audience audience = Audience::Shim) const {
    Request request;
    request.root = root();
    request.home = home();
    request.audience = audience;
    request.total_memory_mb = 16000;
    request.environment = [this](const char* name) -> const char* {
      const auto found = environment_.find(name);
      return found == environment_.end() ? nullptr : found->second.c_str();
    };
    request.command_line = command_line_;
    request.has_policy = [](std::string_view tool) { return tool == "git" || tool == "pytest"; };
    return request;
  }
  [[nodiscard]] Loaded loaded(Audience audience = Audience::Shim) const {
    return load(request(audience));
  }

  std::string base_;
  std::map<std::string, std::string> environment_;
  std::vector<std::pair<std::string, std::string>> command_line_;
};

}  // namespace onelane::settings
