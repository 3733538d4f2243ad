#include "tests/integration/guard_scene.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/sys/process.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

std::string hog_path() {
  const char* value = std::getenv("HOG");
  return fs::canonical(value != nullptr ? value : ONELANE_BUILT_HOG);
}

}  // namespace

GuardScene::GuardScene()
    : mark_{"mark-of-" + fs::path{sandbox_.root()}.filename().string()},
      hog_{hog_path()},
      onelane_{sandbox_.root() + "/onelane"} {
  fs::create_symlink(fs::read_symlink(sandbox_.shims() + "/make"), onelane_);
  fs::remove(sandbox_.tools() + "/make");
  fs::create_symlink(hog_, sandbox_.tools() + "/make");
  limit("KILL_TIMEOUT", "1");
}

GuardScene::~GuardScene() {
  for (int round = 0; round < 100; ++round) {
    const auto left = survivors();
    if (left.empty()) {
      return;
    }
    for (const pid_t pid : left) {
      if (round == 0) {
        ADD_FAILURE() << "hog left: " << pid << " " << sys::command_line(pid);
      }
      ::kill(pid, SIGKILL);
    }
    ::usleep(2'000);
  }
}

void GuardScene::limit(const std::string& name, const std::string& value) {
  sandbox_.set_environment("ONELANE_" + name, value);
}

Words GuardScene::hog(const Words& verbs) const {
  return Words{"make", "mark", mark_} + verbs;
}

Words GuardScene::bare_hog(const Words& verbs) const {
  return Words{hog_, "mark", mark_} + verbs;
}

Words GuardScene::run_command(const Words& argv) const {
  return Words{onelane_, "run", "--"} + argv;
}

Ended GuardScene::run(const Words& verbs) {
  return sandbox_.start(hog(verbs)).wait(milliseconds{30'000});
}

Ended GuardScene::onelane(const Words& words) {
  return sandbox_.run(Words{onelane_} + words);
}

std::vector<pid_t> GuardScene::survivors() const {
  std::vector<pid_t> found;
  for (const pid_t pid : sys::all_pids()) {
    const auto words = sys::arguments(pid);
    const bool marked = words.size() > 2 && words[1] == "mark" && words[2] == mark_;
    if (marked && is_alive(pid)) {
      found.push_back(pid);
    }
  }
  return found;
}

void GuardScene::expect_nothing_left() {
  EXPECT_EQ(survivors(), std::vector<pid_t>{});
  // A process that a bomb is about to fork shows up within its nap.
  EXPECT_FALSE(eventually([&] { return !survivors().empty(); }, milliseconds{150}));
  const std::string status = onelane({"status"}).out;
  EXPECT_NE(status.find("holder:  none"), std::string::npos) << status;
}

std::vector<std::string> GuardScene::journal() const {
  std::vector<std::string> lines;
  std::ifstream file{sandbox_.project() + "/.git/onelane/runs.jsonl"};
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::string GuardScene::only_record() const {
  eventually([&] { return !journal().empty(); }, milliseconds{2'000});
  const auto lines = journal();
  EXPECT_EQ(lines.size(), 1U);
  return lines.empty() ? std::string{} : lines.front();
}

std::size_t GuardScene::counted_megabytes(const std::string& file) {
  std::uint64_t bytes = 0;
  std::ifstream{file, std::ios::binary}.read(reinterpret_cast<char*>(&bytes), sizeof bytes);
  return bytes >> 20;
}

std::string field(const std::string& record, std::string_view name) {
  const auto parsed = nlohmann::json::parse(record, nullptr, false);
  if (!parsed.is_object() || !parsed.contains(name)) {
    return {};
  }
  const auto& value = parsed[std::string{name}];
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::vector<std::string> lines_with(const std::string& text, std::string_view word) {
  std::vector<std::string> found;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (std::string line = text.substr(at, end - at); line.find(word) != std::string::npos) {
      found.push_back(std::move(line));
    }
    at = end + 1;
  }
  return found;
}

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

}  // namespace onelane::test
