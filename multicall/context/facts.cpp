#include "multicall/context/facts.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/sys/file_descriptor.hpp"
#include "multicall/context/real_tool.hpp"

namespace onelane::multicall {

bool ProcessFacts::stdin_is_terminal() const {
  return ::isatty(0) == 1;
}

std::optional<std::string> ProcessFacts::environment(std::string_view name) const {
  const char* value = std::getenv(std::string{name}.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>{value};
}

std::string acting_directory(const shims::Target& target) {
  std::string directory = ".";
  for (const std::string& step : target.directories) {
    directory = step.starts_with('/') ? step : directory + "/" + step;
  }
  return directory;
}

std::optional<std::string> ProcessFacts::ask_git(std::vector<std::string> question) const {
  tool::Found git = find_real_tool(call_);
  int ends[2];
  if (git.outcome != tool::Outcome::Found || ::pipe2(ends, O_CLOEXEC) != 0) {
    return std::nullopt;
  }
  const sys::FileDescriptor output = sys::lift(ends[0]);
  sys::FileDescriptor input = sys::lift(ends[1]);
  const auto target = shims::find_shim("git")->target(call_.args);
  std::vector<std::string> words{"git", "-C", acting_directory(target)};
  if (target.git_dir) {
    words.push_back("--git-dir=" + *target.git_dir);
  }
  words.insert(words.end(), question.begin(), question.end());
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(null, 0);
    ::dup2(input.get(), 1);
    ::dup2(null, 2);
    ::execve(git.path.c_str(), argv.data(), environ);
    ::_exit(127);
  }
  ::close(null);
  input.reset();
  std::string answer(65536, '\0');
  const long got = sys::read_up_to(output.get(), answer.data(), answer.size());
  int status = 0;
  while (pid > 0 && ::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (pid < 0 || status != 0 || got <= 0) {
    return std::nullopt;
  }
  answer.resize(static_cast<std::size_t>(got));
  while (!answer.empty() && answer.back() == '\n') {
    answer.pop_back();
  }
  return answer;
}

std::optional<std::string> ProcessFacts::git_alias(std::string_view name) const {
  return ask_git({"config", "--get", "alias." + std::string{name}});
}

bool ProcessFacts::git_hook(std::string_view name) const {
  const auto path =
      ask_git({"rev-parse", "--path-format=absolute", "--git-path", "hooks/" + std::string{name}});
  return path && ::access(path->c_str(), X_OK) == 0;
}

std::optional<std::string> ProcessFacts::npm_script(std::string_view name) const {
  std::string directory = acting_directory(shims::find_shim("npm")->target(call_.args));
  // npm uses the nearest package.json in this directory or above.
  for (int level = 0; level < 32; ++level) {
    const auto text = sys::read_small_file((directory + "/package.json").c_str(), 1 << 20);
    if (text) {
      const auto package = nlohmann::json::parse(*text, nullptr, false);
      if (package.is_object() && package.contains("scripts") && package["scripts"].is_object() &&
          package["scripts"].contains(name) && package["scripts"][std::string{name}].is_string()) {
        return package["scripts"][std::string{name}].get<std::string>();
      }
      return std::nullopt;
    }
    directory += "/..";
  }
  return std::nullopt;
}

}  // namespace onelane::multicall
