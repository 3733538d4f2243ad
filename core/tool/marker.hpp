#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/sys/process.hpp"
#include "core/tool/find.hpp"

/// What ONELANE_AT says; internal to find_real, which has the rule.
namespace onelane::tool {

/// One choice of a file: who made it for which call, and the rows it ends.
struct Marker {
  sys::ProcessId from;
  FileId file;
  std::uint64_t digest = 0;  ///< Of the call, see digest_of.
  std::uint64_t when = 0;    ///< Seconds after boot.
  unsigned repeats = 0;      ///< Row of executed or equal calls that `file` was chosen for.
  unsigned depth = 0;        ///< Row of calls of any kind.
  /// The call, made below the run that holds the lane, would have waited for it elsewhere.
  bool is_lane_call = false;
};

/// Reads ONELANE_AT; nothing when it is unset, names another tool than `tool` or is malformed.
[[nodiscard]] std::optional<Marker> parse_marker(const char* text, std::string_view tool) noexcept;

[[nodiscard]] std::string format_marker(const Marker& marker, std::string_view tool);

/// Digest of a call: its arguments and the current directory.
[[nodiscard]] std::uint64_t digest_of(std::span<char* const> args) noexcept;

/// How the process of a marker stands to ours.
enum class Kin {
  None,      ///< It is not above us, or too far: the marker is stale.
  Executed,  ///< It is our own: the chosen file has executed us.
  Spawned,   ///< It is above us, at most four levels.
};
[[nodiscard]] Kin kin_of(const sys::ProcessId& from, const sys::ProcessId& self) noexcept;

/// CLOCK_BOOTTIME in seconds.
[[nodiscard]] std::uint64_t seconds_after_boot() noexcept;

}  // namespace onelane::tool
