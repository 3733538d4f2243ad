#pragma once

#include <cstdint>

namespace onelane::tool {

/// Layout of the note that marks every onelane executable (elf(5), "Notes").
struct ElfNote {
  std::uint32_t name_size;
  std::uint32_t description_size;
  std::uint32_t type;
  char name[8];
  std::uint32_t description;
};

/// The note of this executable; referring to it keeps it linked in.
[[nodiscard]] const ElfNote& own_note() noexcept;

}  // namespace onelane::tool
