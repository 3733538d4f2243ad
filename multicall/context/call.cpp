#include "multicall/context/call.hpp"

#include <algorithm>

namespace onelane::multicall {

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

}  // namespace onelane::multicall
