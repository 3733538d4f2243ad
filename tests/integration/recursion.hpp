#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace onelane {

namespace fs = std::filesystem;

inline constexpr const char* kTools[] = {"make", "pytest"};

/// How a shim was installed; also the name of the directory that has such shims.
enum class Install { Symlink, HardLink, Copy };
inline constexpr const char* kInstalls[] = {"Symlink", "HardLink", "Copy"};

template <typename Enum>
std::size_t index(Enum value) {
  return static_cast<std::size_t>(value);
}

/// One call: the file executed, its argv and the caller's surroundings.
struct Call {
  std::string file;
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::string directory;
  bool delete_directory = false;  ///< After entering it.
};

/// What a caller sees.
struct Result {
  int status = -1;  ///< Exit status; -1 when it was ended by us or by a signal.
  std::string out;
  std::string err;
};

inline std::string text_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

inline long lines(const std::string& text, const std::string& line) {
  long count = 0;
  for (std::size_t at = 0; (at = text.find(line + "\n", at)) != std::string::npos; ++at) {
    ++count;
  }
  return count;
}

inline std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (auto& string : strings) {
    out.push_back(string.data());
  }
  out.push_back(nullptr);
  return out;
}

/// An adopted project with shims of every kind in directories a and b, another build of
/// onelane in c, and real tools that trace each start. Made once a suite, copies being large.
/// The executable under test is named by ONELANE_BINARY.
class RecursionTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const char* binary = std::getenv("ONELANE_BINARY");
    ASSERT_NE(binary, nullptr) << "set ONELANE_BINARY to the onelane executable under test";
    std::string pattern = testing::TempDir() + "onelane-recursion-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root = fs::canonical(pattern);
    fs::create_directories(root / "project");
    std::ofstream{root / "project/onelane.toml"};
    fs::copy_file(binary, root / "onelane");  // hard links need one file system
    fs::copy_file(binary, root / "other");
    std::ofstream{root / "other", std::ios::app} << "another build";
    for (const char* tool : kTools) {
      script("real", tool, R"(echo real >>"$TRACE"; echo "real $0 $*"; exit 7)");
      for (const char* directory : {"a", "b"}) {
        install("Symlink", directory, tool, &fs::create_symlink);
        install("HardLink", directory, tool, &fs::create_hard_link);
        install("Copy", directory, tool,
                [](const fs::path& from, const fs::path& to) { fs::copy_file(from, to); });
      }
    }
    for (const char* kind : kInstalls) {
      fs::create_directory_symlink("a", root / "project" / kind / "alias");
      fs::create_directory(root / "project" / kind / "c");
      for (const char* tool : kTools) {
        fs::create_hard_link(root / "other", root / "project" / kind / "c" / tool);
      }
    }
  }
  static void TearDownTestSuite() { fs::remove_all(root); }

  void SetUp() override { ASSERT_FALSE(root.empty()) << "no executable to test"; }
  void TearDown() override { fs::remove(trace()); }

  using MakeFile = void (*)(const fs::path& from, const fs::path& to);
  static void install(const char* kind, const char* directory, const char* tool, MakeFile make) {
    const auto place = root / "project" / kind / directory;
    fs::create_directories(place);
    make(root / "onelane", place / tool);
  }
  static void script(const fs::path& directory, const std::string& tool, const std::string& text) {
    fs::create_directories(root / directory);
    std::ofstream{root / directory / tool} << "#!/bin/sh\n" << text << '\n';
    fs::permissions(root / directory / tool, fs::perms{0755});
  }
  static fs::path shims(const char* kind, const char* directory = "a") {
    return root / "project" / kind / directory;
  }
  static std::string real(const std::string& tool) { return root / "real" / tool; }
  static fs::path trace() { return root / "trace"; }
  static std::string traced() { return text_of(trace()); }
  static std::vector<std::string> environment(const std::string& path) {
    return {"PATH=" + path + ":/usr/bin:/bin", "TRACE=" + trace().string(),
            "HOME=" + root.string()};
  }

  /// Runs one call to its end; after 20 seconds it is ended with all its descendants.
  static Result run(Call call) {
    auto argv = pointers(call.argv);
    auto envp = pointers(call.environment);
    const std::string out = root / "out";
    const std::string err = root / "err";
    fs::create_directories(call.directory);
    const pid_t pid = ::fork();
    if (pid == 0) {
      become(call, out, err);
      ::execve(call.file.c_str(), argv.data(), envp.data());
      ::_exit(99);
    }
    Result result;
    int status = 0;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (::waitpid(pid, &status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() > end) {
        ADD_FAILURE() << "did not end";
        ::kill(-pid, SIGKILL);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result.out = text_of(out);
    result.err = text_of(err);
    return result;
  }

  static inline fs::path root;

 private:
  static void become(const Call& call, const std::string& out, const std::string& err) {
    ::setpgid(0, 0);
    if (::chdir(call.directory.c_str()) != 0 ||
        (call.delete_directory && ::rmdir(call.directory.c_str()) != 0)) {
      ::_exit(98);
    }
    ::dup2(::open("/dev/null", O_RDONLY), 0);
    ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
    ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
  }
};

}  // namespace onelane
