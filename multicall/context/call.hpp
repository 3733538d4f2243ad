#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::multicall {

/// One call of a shim, as the kernel handed it over. Everything is borrowed from main().
struct Call {
  std::string_view name;               ///< The tool: basename of argv[0], a leading `-` stripped.
  std::span<char*> argv;               ///< With argv[0], without the closing NULL.
  std::vector<std::string_view> args;  ///< Without argv[0].
};

/// Makes a Call of main()'s arguments. An empty argv (execve with none) has an empty name.
[[nodiscard]] Call make_call(int argc, char** argv);

/// True for the names under which onelane is a command of its own and stands before no tool:
/// "onelane", "seq", "safe-run".
[[nodiscard]] bool is_command_name(std::string_view name) noexcept;

/// "make test -j4": the command for people, unprintable bytes as '?', cut at `limit` bytes.
[[nodiscard]] std::string words(const Call& call, std::size_t limit = 190);

}  // namespace onelane::multicall
