#include "core/tool/note.hpp"

namespace onelane::tool {
namespace {

// In a section of type note (by its name), so that the linker puts it into a PT_NOTE segment
// near the start of the file, where a reader finds it without section headers.
[[gnu::used, gnu::section(".note.onelane"), gnu::aligned(4)]] constexpr ElfNote kNote{
    sizeof(ElfNote::name), sizeof(ElfNote::description), 1, {'o', 'n', 'e', 'l', 'a', 'n', 'e', '\0'}, 1};

}  // namespace

const ElfNote& own_note() noexcept { return kNote; }

}  // namespace onelane::tool
