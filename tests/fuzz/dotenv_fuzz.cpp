#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/settings/dotenv.hpp"
#include "core/settings/edit.hpp"

/// Any bytes are read without a fault, and the editors give back what they were given.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace onelane::settings;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  for (const auto& entry : parse_dotenv(text)) {
    if (entry.key.empty() || entry.value.size() > size || entry.line < 1) {
      std::abort();
    }
  }
  if (remove_block(text) == text && remove_block(add_block(text, "A=1\n")) != text) {
    std::abort();
  }
  return 0;
}
