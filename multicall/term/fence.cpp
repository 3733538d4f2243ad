#include "multicall/term/fence.hpp"

#include <sys/random.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "core/sys/hex.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall {
namespace {

/// 32 hexadecimal digits after a prefix, so that the token is never the name of a workflow command,
/// which GitHub would refuse.
std::string random_token() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    sys::throw_errno("read", "random bytes");
  }
  std::string token = "onelane-";
  for (const unsigned char byte : bytes) {
    sys::append_hex(token, byte);
  }
  return token;
}

bool is_file(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

bool is_github_step() {
  const char* value = std::getenv("GITHUB_ACTIONS");
  return value != nullptr && std::string_view{value} == "true";
}

CiFence::CiFence() {
  if (is_github_step() && !is_file(1)) {
    token_ = random_token();
    print("::stop-commands::" + token_ + "\n");
  }
}

CiFence::~CiFence() {
  // The leading newline puts it on a line of its own even after text that was cut short.
  if (!token_.empty()) {
    (void)sys::write_all(1, "\n::" + token_ + "::\n");
  }
}

void print_fenced(std::string_view text) {
  if (!text.empty()) {
    const CiFence fence;
    print(text);
  }
}

}  // namespace onelane::multicall
