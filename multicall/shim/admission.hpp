#pragma once

#include <optional>
#include <string>

#include "core/settings/settings.hpp"

namespace onelane::multicall {

/// Whether the machine can take one more run: MIN_FREE_MEMORY_MB, MAX_LOAD and
/// MAX_MEMORY_PRESSURE, all off by default. Borrows `settings`.
class Admission {
 public:
  explicit Admission(const settings::Settings& settings) : settings_{settings} {}

  /// False when no such limit is set: then nothing need be asked.
  [[nodiscard]] bool is_on() const noexcept;
  /// Why a run should not start now, in words for the waiting notice. Three small reads.
  [[nodiscard]] std::optional<std::string> objection() const;
  /// ADMISSION=refuse: exit 75 instead of waiting.
  [[nodiscard]] bool refuses() const noexcept;

 private:
  const settings::Settings& settings_;
};

}  // namespace onelane::multicall
