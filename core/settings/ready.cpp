#include "core/settings/ready.hpp"

#include <charconv>

#include "core/sys/text.hpp"
#include "core/sys/values.hpp"

namespace onelane::settings {
namespace {

constexpr std::size_t kLongestText = 255;

}  // namespace

std::optional<Ready> parse_ready(std::string_view text) {
  if (text.empty() || text.size() > kLongestText || sys::has_control(text)) {
    return std::nullopt;
  }
  if (text.find_first_not_of("0123456789") != std::string_view::npos) {
    return Ready{0, std::string{text}};
  }
  Ready ready;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ready.port);
  return error == std::errc{} && ready.port != 0 ? std::optional{ready} : std::nullopt;
}

std::optional<ReadyRule> parse_ready_rule(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view call = sys::trim(text.substr(0, equals));
  const std::size_t colon = call.find(':');  // the first: npm script names may contain some
  const bool has_argument = colon != std::string_view::npos;
  const std::string_view tool = call.substr(0, colon);
  const std::string_view argument = has_argument ? call.substr(colon + 1) : std::string_view{};
  auto ready = parse_ready(sys::trim(text.substr(equals + 1)));
  if (!ready || !is_tool_name(tool) || (has_argument && argument.empty()) ||
      sys::has_control(argument)) {
    return std::nullopt;
  }
  return ReadyRule{std::string{tool}, std::string{argument}, std::move(*ready)};
}

}  // namespace onelane::settings
