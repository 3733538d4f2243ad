#include "multicall/term/print.hpp"

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "core/sys/file_descriptor.hpp"
#include "core/sys/hex.hpp"

namespace onelane::multicall {

OutputError::OutputError()
    : std::system_error{errno, std::generic_category(), "write standard output"} {}

void print(std::string_view text) {
  if (!sys::write_all(1, text)) {
    throw OutputError{};
  }
}

std::string harmless_json(std::string_view text) {
  const auto is_doubtful = [](char c) { return c == '\x7f' || c == '\xc2'; };
  if (std::ranges::none_of(text, is_doubtful) && text.find("##[") == std::string_view::npos) {
    return std::string{text};
  }
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    // GitHub obeys `##[…]` anywhere in a line of the log; in JSON it can only be inside a string.
    if (byte == '[' && out.ends_with("##")) {
      out += "\\u005b";
      continue;
    }
    const bool is_c1 = byte == 0xc2 && next < 0xa0;  // valid UTF-8: `next` is 0x80 or more
    if (byte != 0x7f && !is_c1) {
      out.push_back(text[i]);
      continue;
    }
    out += "\\u00";
    sys::append_hex(out, static_cast<unsigned char>(is_c1 ? next : byte));
    i += is_c1 ? 1 : 0;
  }
  return out;
}

std::string json_line(const nlohmann::json& value) {
  return harmless_json(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void print_json(const nlohmann::json& value) {
  print(json_line(value) + "\n");
}

}  // namespace onelane::multicall
