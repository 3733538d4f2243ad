#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/queue/text.hpp"

/// A queue file is read whatever it holds, and what was read is written and read back alike.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace onelane::queue;
  const auto queue = parse({reinterpret_cast<const char*>(data), size});
  if (queue) {
    const std::string text = to_text(*queue);
    const auto again = parse(text);
    if (!again || to_text(*again) != text) {
      std::abort();
    }
  }
  return 0;
}
