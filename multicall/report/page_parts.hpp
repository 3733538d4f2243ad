#pragma once

#include <string_view>

namespace onelane::multicall {

// The files beside this one, embedded at build time: see embed.cmake.
[[nodiscard]] std::string_view page_html() noexcept;    ///< page.html
[[nodiscard]] std::string_view page_style() noexcept;   ///< page.css
[[nodiscard]] std::string_view page_script() noexcept;  ///< The .js files, one after the other.

}  // namespace onelane::multicall
