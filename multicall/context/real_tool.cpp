#include "multicall/context/real_tool.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "core/sys/text.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall {
namespace {

/// The file that a shell would run for a name; empty if there is none.
std::string first_on_path(std::string_view name) {
  for (const tool::Candidate& candidate : tool::all_candidates(name, std::getenv("PATH"))) {
    if (candidate.verdict != tool::Verdict::NotExecutable &&
        candidate.verdict != tool::Verdict::NotAFile) {
      return candidate.path;
    }
  }
  return {};
}

/// The path of a command that is onelane itself under one of its own names; empty for any other.
std::string own_command_path(const Call& call) {
  if (!is_command_name(call.name)) {
    return {};
  }
  const std::string_view word{call.argv[0]};
  std::string path =
      word.find('/') == std::string_view::npos ? first_on_path(word) : std::string{word};
  return tool::is_onelane(path.c_str()) ? path : std::string{};
}

}  // namespace

tool::Found find_real_tool(const Call& call, bool is_lane_call) {
  tool::Request request;
  request.name = call.name;
  request.path = std::getenv("PATH");
  request.at = std::getenv("ONELANE_AT");
  request.args = call.argv.empty() ? call.argv : call.argv.subspan(1);
  // GNU make executes itself again, through argv[0], after it has remade a makefile.
  request.restarts = call.name == "make" && std::getenv("MAKE_RESTARTS") != nullptr;
  request.is_lane_call = is_lane_call;
  return tool::find_real(request);
}

std::string real_program(std::string_view name, const std::string& path) {
  for (const tool::Candidate& candidate : tool::all_candidates(name, path.c_str())) {
    if (candidate.verdict == tool::Verdict::Real) {
      return candidate.path;
    }
  }
  return {};
}

tool::Found find_command_to_run(const Call& call) {
  const char* word = call.argv[0];
  if (std::string own = own_command_path(call); !own.empty()) {
    return {tool::Outcome::Found, std::move(own), {}};
  }
  if (std::strchr(word, '/') == nullptr || tool::is_onelane(word)) {
    return find_real_tool(call);
  }
  tool::Found found;
  found.outcome = ::access(word, F_OK) == 0 ? tool::Outcome::Found : tool::Outcome::NotFound;
  found.path = word;
  return found;
}

int explain_no_command(const Call& call) {
  const std::string_view word{call.argv[0]};
  if (call.argv.size() == 1 && word.find_first_of(" \t\n") != std::string_view::npos) {
    say_always("a command in quotes is one word: leave the quotes out, `onelane run -- " +
               sys::clean(word) + "`, or give it to a shell, `onelane run -- sh -c " +
               shell_word(sys::clean(word)) + "`");
    return kExitUsage;
  }
  say_always(std::string{word} + ": not found");
  return kExitNotFound;
}

int explain_missing(const Call& call, const tool::Found& found) {
  if (found.outcome == tool::Outcome::Loop) {
    say_always(
        std::string{call.name} +
        ": a wrapper on PATH and this shim call each other; stopped (see `onelane which -a " +
        std::string{call.name} + "`)");
    return kExitCannotExecute;
  }
  say_always(std::string{call.name} + ": not found on PATH after the shim");
  return kExitNotFound;
}

int explain_exec_failure(const std::string& path, int error) {
  say_always("cannot execute " + path + ": " + std::strerror(error));
  return error == ENOENT || error == ENOTDIR ? kExitNotFound : kExitCannotExecute;
}

std::vector<char*> make_argv(const Call& call, std::string& path) {
  std::vector<char*> argv{call.argv.begin(), call.argv.end()};
  if (!argv.empty() && std::strchr(argv[0], '/') != nullptr) {
    argv[0] = path.data();
  }
  argv.push_back(nullptr);
  return argv;
}

int pass_through(const Call& call, bool is_lane_call) {
  tool::Found found = find_real_tool(call, is_lane_call);
  if (found.outcome != tool::Outcome::Found) {
    return explain_missing(call, found);
  }
  ::setenv("ONELANE_AT", found.at.c_str(), 1);
  std::vector<char*> argv = make_argv(call, found.path);
  ::execve(found.path.c_str(), argv.data(), environ);
  if (errno == ENOEXEC) {
    // A script without `#!` runs in sh, as with execvp(3) and every shell.
    static char shell[] = "/bin/sh";
    argv[0] = found.path.data();
    argv.insert(argv.begin(), shell);
    ::execve(shell, argv.data(), environ);
  }
  return explain_exec_failure(found.path, errno);
}

}  // namespace onelane::multicall
