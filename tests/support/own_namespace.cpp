#include "tests/support/own_namespace.hpp"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace onelane::test {
namespace {

constexpr const char* kAlone = "ONELANE_TEST_ALONE";

bool is_permitted(const char* flags) {
  const std::string trial =
      std::string{"unshare "} + flags + " --mount-proc --kill-child true >/dev/null 2>&1";
  return std::system(trial.c_str()) == 0;
}

}  // namespace

void go_alone(int argc, char** argv) {
  bool lists = false;
  for (int i = 1; i < argc; ++i) {
    lists = lists || std::string_view{argv[i]}.starts_with("--gtest_list_tests");
  }
  if (lists || std::getenv(kAlone) != nullptr) {
    return;
  }
  for (const char* flags : {"-pfmn", "-rpfmn"}) {
    if (is_permitted(flags)) {
      ::setenv(kAlone, "1", 1);
      std::vector<char*> words;
      for (const char* word : {"unshare", flags, "--mount-proc", "--kill-child", "--"}) {
        words.push_back(::strdup(word));
      }
      words.insert(words.end(), argv, argv + argc + 1);
      ::execvp("unshare", words.data());
    }
  }
}

std::string why_not_alone() {
  return std::getenv(kAlone) != nullptr
             ? std::string{}
             : "unshare -pfmn --mount-proc is not permitted here, with -r neither";
}

}  // namespace onelane::test
