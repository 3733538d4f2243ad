#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/settings/settings.hpp"
#include "multicall/context/call.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall::coalesce {

/// What kind of file one of the descriptors 0 to 2 is.
enum class Standard : char { Closed = 'c', Null = 'n', Terminal = 't', File = 'f', Other = 'o' };

struct Streams {
  std::array<Standard, 3> kinds{};
  bool has_one_output = false;  ///< 1 and 2 lead to the same place.
};
/// The streams of this process.
[[nodiscard]] Streams streams_of();

/// Everything about a call, apart from files, that may change what its tool does.
struct CallFacts {
  std::vector<std::string_view> words;
  std::string directory;                      ///< As $PWD spells it, if that is right.
  std::vector<std::string_view> environment;  ///< NAME=value, in any order.
  Streams streams;
  std::string surroundings;  ///< User, limits, namespaces, the size of the terminal.
};

/// The facts of `call` and this process. Borrows from both.
[[nodiscard]] CallFacts facts_of(const Call& call);

/// All facts as one number, never 0; variables for which is_per_session() is true are left out.
[[nodiscard]] std::uint64_t key_of(std::string_view tool, const CallFacts& facts);

/// True for a variable that differs between sessions, terminals or agents and says nothing about a
/// tool's work. onelane-coalesce(7) lists them.
[[nodiscard]] bool is_per_session(std::string_view name);

/// Why this call cannot take over the result of another one, in one clause; nothing if it can.
[[nodiscard]] std::optional<std::string_view> objection_to(const CallFacts& facts);

/// Whether a call may coalesce: its key, or 0 and the reason.
struct Standing {
  std::uint64_t key = 0;
  std::string_view why;
};
[[nodiscard]] Standing standing_of(const Call& call, shims::Class cls,
                                   const settings::Settings& settings);

/// 16 hexadecimal digits.
[[nodiscard]] std::string digits_of(std::uint64_t key);

}  // namespace onelane::multicall::coalesce
