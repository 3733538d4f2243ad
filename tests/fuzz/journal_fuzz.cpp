#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/journal/record.hpp"

/// Any bytes are read without a fault, and what was read is written as a line that says the
/// same: one line, and read once more it is equal to itself. Nothing is left of lines before.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace onelane::journal;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto record = parse(text);
  static LineReader reader;
  static Record used;
  const bool is_read = reader.read(text, used);
  if (is_read != record.has_value() || (is_read && used != *record)) {
    std::abort();
  }
  if (!is_read) {
    return 0;
  }
  const std::string line = to_line(*record);
  if (line.find('\n') != line.size() - 1 || line.size() > kLongestLine ||
      line.rfind(R"({"schema":)") != 0) {
    std::abort();
  }
  const auto again = parse(line);
  if (!again || again->schema != record->schema || again->code != record->code ||
      again->reason != record->reason || again->fence != record->fence) {
    std::abort();
  }
  return 0;
}
