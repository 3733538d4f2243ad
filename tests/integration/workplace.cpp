#include "tests/integration/workplace.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace onelane::test {
namespace {

namespace fs = std::filesystem;

std::string content_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

Workplace::Workplace(Kind kind) : path_{sandbox_.root() + "/shop"} {
  fs::create_directory(path_);
  fs::create_directory(sandbox_.root() + "/admin");
  fs::create_symlink(fs::read_symlink(sandbox_.shims() + "/make"),
                     sandbox_.root() + "/admin/onelane");
  if (kind == Kind::Repository) {
    git({"init", "--quiet", "--template="});
  }
}

std::string Workplace::path(std::string_view name) const {
  return path_ + "/" + std::string{name};
}

Ended Workplace::onelane(const std::vector<std::string>& words, const std::string& directory) {
  std::vector<std::string> argv{sandbox_.root() + "/admin/onelane"};
  argv.insert(argv.end(), words.begin(), words.end());
  Start options;
  options.directory = directory.empty() ? path_ : directory;
  return sandbox_.run(argv, options);
}

Ended Workplace::must(const std::vector<std::string>& words, const std::string& directory) {
  Ended ended = onelane(words, directory);
  EXPECT_TRUE(ended.exited_with(0)) << describe_status(ended.wait_status) << "\n"
                                    << ended.out << ended.err;
  EXPECT_EQ(ended.err, "");
  return ended;
}

Running Workplace::start(const std::vector<std::string>& argv) {
  Start options;
  options.directory = path_;
  return sandbox_.start(argv, options);
}

Ended Workplace::run(const std::vector<std::string>& argv) {
  return start(argv).wait();
}

void Workplace::git(const std::vector<std::string>& words) {
  std::vector<std::string> argv{"/usr/bin/git"};
  argv.insert(argv.end(), words.begin(), words.end());
  const Ended ended = run(argv);
  if (!ended.exited_with(0)) {
    throw std::runtime_error{"git " + words.front() + ": " + ended.err};
  }
}

void Workplace::write(std::string_view name, std::string_view text) const {
  fs::create_directories(fs::path{path(name)}.parent_path());
  std::ofstream{path(name), std::ios::binary} << text;
}

std::string Workplace::read(std::string_view name) const {
  return content_of(path(name));
}

bool Workplace::has(std::string_view name) const {
  return fs::exists(fs::symlink_status(path(name)));
}

std::map<std::string, std::string> Workplace::tree() const {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator{path_}) {
    struct stat info {};
    ::lstat(entry.path().c_str(), &info);
    std::string& what = all[entry.path().lexically_relative(path_).string()];
    what = std::to_string(info.st_mode);
    if (entry.is_symlink()) {
      what += " -> " + fs::read_symlink(entry.path()).string();
    } else if (entry.is_regular_file()) {
      what += "\n" + content_of(entry.path());
    }
  }
  return all;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

}  // namespace onelane::test
