#include "multicall/cli/completion.hpp"

namespace onelane::multicall {

std::string escaped(std::string_view text, std::string_view letters, std::string_view before) {
  std::string out;
  for (const char c : text) {
    if (letters.find(c) != std::string_view::npos) {
      out += before;
    }
    out += c;
  }
  return out;
}

}  // namespace onelane::multicall
