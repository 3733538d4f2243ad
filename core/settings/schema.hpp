#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/settings/settings.hpp"

namespace onelane::settings {

/// What a field's text looks like; where the member's type leaves that open.
enum class Form { Plain, Megabytes, Count, Path, Choice, List };

/// Where a field may be set.
enum class Allowed { Everywhere, ProjectFiles };

using Member =
    std::variant<Setting<std::uint64_t> Settings::*, Setting<std::chrono::milliseconds> Settings::*,
                 Setting<bool> Settings::*, Setting<int> Settings::*, Setting<OnError> Settings::*,
                 Setting<OnDeadlock> Settings::*, Setting<WaitFor> Settings::*,
                 Setting<Scope> Settings::*, Setting<std::string> Settings::*,
                 Setting<std::vector<std::string>> Settings::*>;

/// One setting: `timeout` in TOML, `ONELANE_TIMEOUT` in .env.development and the environment.
struct Field {
  std::string_view name;  ///< Lower case.
  Member member;
  Form form = Form::Plain;
  bool seed = false;  ///< The seeds' bare name (`TIMEOUT`) counts where bare names count.
  Allowed allowed = Allowed::Everywhere;
};

/// Every setting, in the order `onelane settings` prints them.
[[nodiscard]] std::span<const Field> all_fields();

/// Exact, lower case; nullptr when there is none.
[[nodiscard]] const Field* find_field(std::string_view name);

/// `MEMORY_LIMIT_MB` for `memory_limit_mb`.
[[nodiscard]] std::string upper_name(std::string_view name);

/// Sets `field` from `text`. What is wrong with `text` and what is accepted, or nothing; then
/// `settings` is unchanged.
[[nodiscard]] std::optional<std::string> apply_text(Settings& settings, const Field& field,
                                                    std::string_view text, const Source& source);

/// As apply_text, for a list field.
[[nodiscard]] std::optional<std::string> apply_list(Settings& settings, const Field& field,
                                                    std::vector<std::string> items,
                                                    const Source& source);

/// The built-in values for `audience` on a machine with `total_memory_mb`.
[[nodiscard]] Settings built_in(Audience audience, std::uint64_t total_memory_mb);

}  // namespace onelane::settings
