#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/settings/toml_reader.hpp"

/// Any bytes are read without a fault; text that is not TOML gives an error and no value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto document = onelane::settings::read_toml({reinterpret_cast<const char*>(data), size});
  if (!document.error.empty() && !(document.values.empty() && document.tools.empty())) {
    std::abort();
  }
  return 0;
}
