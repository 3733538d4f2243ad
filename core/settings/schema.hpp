#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/settings/settings.hpp"

namespace onelane::settings {

/// The syntax of a field's text, when its member's type leaves that open.
enum class Form { Plain, Megabytes, Count, Path, Choice, CpuList, List, Calls, ReadyRules };

/// Where a field may be set.
enum class Allowed { Everywhere, ProjectFiles };

/// The words of an enumeration, in its order.
template <class Enumeration>
inline constexpr auto kWords = nullptr;
template <>
inline constexpr auto kWords<OnError> = std::to_array<std::string_view>({"open", "closed"});
template <>
inline constexpr auto kWords<OnDeadlock> = std::to_array<std::string_view>({"fail", "run"});
template <>
inline constexpr auto kWords<WaitFor> = std::to_array<std::string_view>({"tool", "all"});
template <>
inline constexpr auto kWords<IdleAction> = std::to_array<std::string_view>({"warn", "kill"});
template <>
inline constexpr auto kWords<Admission> = std::to_array<std::string_view>({"wait", "refuse"});
template <>
inline constexpr auto kWords<Clamp> = std::to_array<std::string_view>({"off", "soft", "hard"});
template <>
inline constexpr auto kWords<IoNice> = std::to_array<std::string_view>({"none", "low", "idle"});

using Member =
    std::variant<Setting<std::uint64_t> Settings::*, Setting<std::chrono::milliseconds> Settings::*,
                 Setting<bool> Settings::*, Setting<int> Settings::*, Setting<double> Settings::*,
                 Setting<OnError> Settings::*, Setting<OnDeadlock> Settings::*,
                 Setting<WaitFor> Settings::*, Setting<IdleAction> Settings::*,
                 Setting<Admission> Settings::*, Setting<Clamp> Settings::*,
                 Setting<IoNice> Settings::*, Setting<Scope> Settings::*,
                 Setting<std::string> Settings::*, Setting<std::vector<std::string>> Settings::*>;

/// One setting: `timeout` in TOML, `ONELANE_TIMEOUT` in .env.development and the environment.
struct Field {
  std::string_view name;  ///< Lower case.
  /// For users: one sentence in lower case without a full stop.
  std::string_view meaning;
  Member member;
  Form form = Form::Plain;
  bool seed = false;  ///< The seeds' bare name (`TIMEOUT`) is accepted where bare names count.
  Allowed allowed = Allowed::Everywhere;
  std::int64_t least = 0;  ///< Lowest value of a number.
  std::int64_t most = std::int64_t{1} << 40;
};

/// Every setting, in the order `onelane settings` prints them.
[[nodiscard]] std::span<const Field> all_fields();

/// Exact, lower case; nullptr when there is none.
[[nodiscard]] const Field* find_field(std::string_view name);

/// What `field` accepts, for users: `tool, all`, `seconds (30, 2.5), 500ms, 30s, 10m, 2h`.
[[nodiscard]] std::string accepted(const Field& field);

/// `MEMORY_LIMIT_MB` for `memory_limit_mb`.
[[nodiscard]] std::string upper_name(std::string_view name);

/// Sets `field` from `text`. Returns what is wrong with `text` and what is accepted, in which case
/// `settings` is unchanged, or nullopt.
[[nodiscard]] std::optional<std::string> apply_text(Settings& settings, const Field& field,
                                                    std::string_view text, const Source& source);

/// Like apply_text, for a list field.
[[nodiscard]] std::optional<std::string> apply_list(Settings& settings, const Field& field,
                                                    std::vector<std::string> items,
                                                    const Source& source);

/// A size in bytes, a duration in milliseconds, or a count; 0 for a field that is none of these.
struct Figure {
  std::uint64_t value = 0;
  const Source& source;
};
[[nodiscard]] Figure figure_of(const Settings& settings, const Field& field);

/// The built-in values for `audience` on a machine with `total_memory_mb`.
[[nodiscard]] Settings built_in(Audience audience, std::uint64_t total_memory_mb);

/// True for a valid name of a project's tool: at most 64 letters, digits, '.', '_', '+' and '-',
/// not beginning with '.' or '-'.
[[nodiscard]] bool is_tool_name(std::string_view name);

}  // namespace onelane::settings
