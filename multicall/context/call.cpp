#include "multicall/context/call.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace onelane::multicall {
namespace {

struct Known {
  const char* variable;
  const char* name;
  bool is_ci = false;
};

/// Agents come before CI, because an agent may run inside a CI job.
constexpr auto kKnown = std::to_array<Known>({
    {"CLAUDECODE", "claude"},
    {"CLAUDE_CODE", "claude"},
    {"CODEX_SANDBOX", "codex"},
    {"CODEX_THREAD_ID", "codex"},
    {"CURSOR_AGENT", "cursor"},
    {"GEMINI_CLI", "gemini"},
    {"COPILOT_AGENT", "copilot"},
    {"COPILOT_CLI", "copilot"},
    {"OPENCODE", "opencode"},
    {"AUGMENT_AGENT", "augment"},
    {"GOOSE_PROVIDER", "goose"},
    {"JUNIE_DATA", "junie"},
    {"REPL_ID", "replit"},
    {"GITHUB_ACTIONS", "github-actions", true},
    {"GITLAB_CI", "gitlab-ci", true},
    {"JENKINS_URL", "jenkins", true},
    {"BUILDKITE", "buildkite", true},
    {"CIRCLECI", "circleci", true},
    {"CI", "ci", true},
});

bool is_set(const Known& known) {
  const char* value = std::getenv(known.variable);
  return value != nullptr && *value != '\0' && std::string_view{value} != "false";
}

}  // namespace

Call make_call(int argc, char** argv) {
  Call call;
  call.argv = {argv, static_cast<std::size_t>(std::max(argc, 0))};
  if (argc > 0) {
    std::string_view name{argv[0]};
    name.remove_prefix(std::min(name.rfind('/') + 1, name.size()));
    if (name.starts_with('-')) {
      name.remove_prefix(1);  // login(1) starts a shell as `-sh`
    }
    call.name = name;
    call.args.assign(argv + 1, argv + argc);
  }
  return call;
}

bool is_command_name(std::string_view name) noexcept {
  return name == "onelane" || name == "seq" || name == "safe-run";
}

std::string command_line(const Call& call, std::size_t limit) {
  std::string text{call.name};
  for (const std::string_view arg : call.args) {
    if (text.size() >= limit) {
      break;
    }
    text.append(" ").append(arg.substr(0, limit));
  }
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    c = byte < 32 || byte >= 127 ? '?' : c;
  }
  if (text.size() > limit) {
    text.resize(limit - 3);
    text += "...";
  }
  return text;
}

std::string caller_agent() {
  // The value of AI_AGENT is the name itself.
  if (const char* name = std::getenv("AI_AGENT"); name != nullptr && *name != '\0') {
    return name;
  }
  for (const Known& known : kKnown) {
    if (is_set(known)) {
      return known.name;
    }
  }
  return {};
}

bool is_ci() {
  return std::ranges::any_of(kKnown,
                             [](const Known& known) { return known.is_ci && is_set(known); });
}

std::string current_branch(const std::string& git_dir) {
  constexpr std::string_view kBranch = "ref: refs/heads/";
  // Three system calls and no more: every run pays for them.
  const int fd = git_dir.empty() ? -1
                                 : ::open((git_dir + "/HEAD").c_str(),
                                          O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) {
    return {};
  }
  std::array<char, 512> head{};
  const long got = ::read(fd, head.data(), head.size());
  ::close(fd);
  const std::string_view text{head.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
  const std::string_view line = text.substr(0, text.find('\n'));
  return std::string{line.starts_with(kBranch) ? line.substr(kBranch.size()) : line.substr(0, 12)};
}

}  // namespace onelane::multicall
