#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/journal/record.hpp"
#include "core/journal/skim.hpp"

/// Any bytes are read without a fault, and what was read is written as a line that says the
/// same: one line, and read once more it is equal to itself. The fast reader agrees.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace onelane::journal;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto record = parse(text);
  static Skimmer skimmer;
  const Skim* const skim = skimmer.read(text);
  if ((record.has_value() && record->cls != "batch") != (skim != nullptr)) {
    std::abort();
  }
  if (skim == nullptr) {
    return 0;
  }
  if (skim->id != record->id || skim->tool != record->tool || skim->code != record->code ||
      skim->reason != record->reason || skim->duration_ms != record->duration_ms ||
      skim->cpu_ms != record->cpu_ms) {
    std::abort();
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
