#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace onelane::settings {

/// When a server that holds the lane no longer needs it.
struct Ready {
  std::uint16_t port = 0;  ///< One of its processes listens on this TCP port; 0: use `text`.
  std::string text;        ///< One line of its output contains this text.
  friend bool operator==(const Ready&, const Ready&) = default;
};

/// The accepted forms, for messages.
inline constexpr std::string_view kReadyForm =
    "a TCP port (1 to 65535), or text that a line contains, without control characters (255 bytes)";

/// Digits are a port, anything else is a text. nullopt when it is neither.
[[nodiscard]] std::optional<Ready> parse_ready(std::string_view text);

/// One item of RELEASE_ON_READY.
struct ReadyRule {
  std::string tool;
  std::string argument;  ///< First argument, make target or npm script; empty: every call.
  Ready ready;
  friend bool operator==(const ReadyRule&, const ReadyRule&) = default;
};

/// `make:serve=3000`, `npm:start=ready in`, `vite=5173`. nullopt for anything else.
[[nodiscard]] std::optional<ReadyRule> parse_ready_rule(std::string_view text);

}  // namespace onelane::settings
