#pragma once

#include <optional>
#include <string>

#include "core/settings/settings.hpp"

namespace onelane::multicall {

/// Whether the machine has room for another run: MIN_FREE_MEMORY_MB, MAX_LOAD and
/// MAX_MEMORY_PRESSURE, all off by default. Borrows `settings`.
class Admission {
 public:
  explicit Admission(const settings::Settings& settings) : settings_{settings} {}

  /// False if none of these is set: then there is no need to ask for an objection.
  [[nodiscard]] bool is_on() const noexcept;
  /// Why a run should not start now, for the waiting notice; nothing if it may. Three small reads.
  [[nodiscard]] std::optional<std::string> objection() const;
  /// True with ADMISSION=refuse: exit 75 instead of waiting.
  [[nodiscard]] bool refuses() const noexcept;

 private:
  const settings::Settings& settings_;
};

}  // namespace onelane::multicall
