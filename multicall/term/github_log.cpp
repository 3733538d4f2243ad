#include "multicall/term/github_log.hpp"

#include <sys/random.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "core/sys/hex.hpp"
#include "multicall/term/print.hpp"

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

enum class Part { Property, Data };

/// A newline ends a workflow command; `:` and `,` end a property as well.
std::string escaped(std::string_view text, Part part) {
  std::string out;
  for (const char byte : text) {
    switch (byte) {
      case '%':
        out += "%25";
        break;
      case '\r':
        out += "%0D";
        break;
      case '\n':
        out += "%0A";
        break;
      case ':':
        out += part == Part::Property ? "%3A" : ":";
        break;
      case ',':
        out += part == Part::Property ? "%2C" : ",";
        break;
      default:
        out += byte;
    }
  }
  return out;
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

std::string line_of(const Annotation& annotation) {
  return "::" + std::string{annotation.kind} +
         " title=" + escaped(annotation.title, Part::Property) +
         "::" + escaped(annotation.text, Part::Data) + "\n";
}

}  // namespace onelane::multicall
