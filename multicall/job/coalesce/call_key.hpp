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

/// What one of a call's descriptors 0 to 2 is.
enum class Standard : char { Closed = 'c', Null = 'n', Terminal = 't', File = 'f', Other = 'o' };

struct Streams {
  std::array<Standard, 3> kinds{};
  bool has_one_output = false;  ///< 1 and 2 lead to the same place.
};
/// Of this process.
[[nodiscard]] Streams streams_of();

/// Everything of a call that may make its tool do something else, its files apart.
struct CallFacts {
  std::vector<std::string_view> words;
  std::string directory;                      ///< As $PWD names it, where that is so.
  std::vector<std::string_view> environment;  ///< NAME=value, in any order.
  Streams streams;
  std::string surroundings;  ///< User, limits, namespaces, the size of the terminal.
};

/// Of this process.
[[nodiscard]] CallFacts facts_of(const Call& call);

/// One number for all of it, never 0; what is_per_session() left out.
[[nodiscard]] std::uint64_t key_of(std::string_view tool, const CallFacts& facts);

/// True for a variable that differs from one session, terminal or agent to the next and tells a
/// tool nothing about its work. README lists them.
[[nodiscard]] bool is_per_session(std::string_view name);

/// Why the result of another call cannot be this one's: one clause; nothing where it can.
[[nodiscard]] std::optional<std::string_view> objection_to(const CallFacts& facts);

/// What becomes of a call of that class: its key, or 0 and why.
struct Standing {
  std::uint64_t key = 0;
  std::string_view why;
};
[[nodiscard]] Standing standing_of(const Call& call, shims::Class cls,
                                   const settings::Settings& settings);

/// 16 hexadecimal digits.
[[nodiscard]] std::string digits_of(std::uint64_t key);

}  // namespace onelane::multicall::coalesce
