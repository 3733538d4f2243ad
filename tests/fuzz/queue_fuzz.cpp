#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/queue/log.hpp"
#include "core/queue/text.hpp"

/// A file is read whatever it holds, as a log, as a record and as a queue of an earlier version;
/// and a queue that was read is written and read back alike.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace onelane::queue;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  Log log;
  (void)log.read(text, 1);
  Queue queue = std::move(log.queue());
  if (auto old = parse_old(text)) {
    queue = *std::move(old);
  } else if (auto record = parse_record(text)) {
    if (auto* entry = std::get_if<EntryRecord>(&*record)) {
      queue.next_id = entry->entry.id + 1;
      queue.entries = {std::move(entry->entry)};
    }
  }
  const std::string written = checkpoint(queue, "", 1);
  Log again;
  if (again.read(written, 1) != LogEnd::Whole || checkpoint(again.queue(), "", 1) != written) {
    std::abort();
  }
  return 0;
}
