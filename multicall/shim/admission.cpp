#include "multicall/shim/admission.hpp"

#include <cstdio>

#include "core/sys/memory.hpp"

namespace onelane::multicall {
namespace {

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

}  // namespace

bool Admission::is_on() const noexcept {
  return settings_.min_free_memory_mb.value > 0 || settings_.max_load.value > 0 ||
         settings_.max_memory_pressure.value > 0;
}

std::optional<std::string> Admission::objection() const {
  const std::uint64_t free = sys::machine_memory().available >> 20U;
  if (free < settings_.min_free_memory_mb.value) {
    return "the machine has " + std::to_string(free) +
           " MB of memory free, MIN_FREE_MEMORY_MB is " +
           std::to_string(settings_.min_free_memory_mb.value);
  }
  const double load = sys::machine_load().average;
  if (settings_.max_load.value > 0 && load > settings_.max_load.value) {
    return "the machine has a load of " + decimal(load) + ", MAX_LOAD is " +
           decimal(settings_.max_load.value);
  }
  const auto pressure = sys::memory_pressure();
  if (settings_.max_memory_pressure.value > 0 &&
      pressure.value_or(0) > settings_.max_memory_pressure.value) {
    return "the machine has a memory pressure of " + decimal(*pressure) +
           " %, MAX_MEMORY_PRESSURE is " + decimal(settings_.max_memory_pressure.value);
  }
  return std::nullopt;
}

bool Admission::refuses() const noexcept {
  return settings_.admission.value == settings::Admission::Refuse;
}

}  // namespace onelane::multicall
