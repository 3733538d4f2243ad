#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/sys/process.hpp"
#include "core/tool/find.hpp"

namespace onelane::tool {

/// The content of ONELANE_AT; internal to find_real, which documents the rule.

/// One choice of a file: which process made it, for which call, and the rows it ends.
struct Marker {
  sys::ProcessId from;
  FileId file;
  std::uint64_t digest = 0;  ///< Of the call, see digest_of.
  std::uint64_t when = 0;    ///< Seconds after boot.
  unsigned repeats = 0;      ///< Executed or equal calls in a row for which `file` was chosen.
  unsigned depth = 0;        ///< Calls of any kind in a row.
  /// The call, made below the run that holds the lane, would have waited for the lane elsewhere.
  bool is_lane_call = false;
};

/// Parses ONELANE_AT; nullopt when it is unset, names another tool than `tool` or is malformed.
[[nodiscard]] std::optional<Marker> parse_marker(const char* text, std::string_view tool) noexcept;

[[nodiscard]] std::string format_marker(const Marker& marker, std::string_view tool);

/// Digest of a call: its arguments and the current directory.
[[nodiscard]] std::uint64_t digest_of(std::span<char* const> args) noexcept;

/// How the process of a marker relates to ours.
enum class Kin {
  None,      ///< It is not above us, or too far up: the marker is stale.
  Executed,  ///< It is our own process: the chosen file has executed us.
  Spawned,   ///< It is at most four levels above us.
};
[[nodiscard]] Kin kin_of(const sys::ProcessId& from, const sys::ProcessId& self) noexcept;

/// CLOCK_BOOTTIME in seconds.
[[nodiscard]] std::uint64_t seconds_after_boot() noexcept;

}  // namespace onelane::tool
