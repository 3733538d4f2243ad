#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/tool/find.hpp"

#define ONELANE_NOTE_OWNER "onelane"

// The note itself (elf(5), Nhdr): owner, type 1, a description of format and version. Written in
// assembler because a compiler marks a variable's section as data, which linkers do not put into a
// PT_NOTE segment, and because the address sanitizer would pad it. It is linked wherever
// is_onelane() is, and linkers never drop a note of a file they link.
// clang-format off
asm(".pushsection .note.onelane,\"a\",%note\n"
    "  .balign 4\n"
    "  .long 2f - 1f\n"
    "  .long 4f - 3f\n"
    "  .long 1\n"
    "1: .asciz \"" ONELANE_NOTE_OWNER "\"\n"
    "2: .balign 4\n"
    "3: .long 1\n"
    "  .asciz \"" ONELANE_VERSION "\"\n"
    "  .balign 4\n"
    "4:\n"
    ".popsection\n");
// clang-format on

namespace onelane::tool {
namespace {

constexpr std::uint32_t kNoteType = 1;
constexpr std::size_t kPage = 4096;
/// An executable has two or three note segments; a file with more was crafted.
constexpr int kMostNoteSegments = 8;

static_assert(sizeof(Elf64_Nhdr) == sizeof(Elf32_Nhdr));

constexpr std::size_t padded(std::size_t size) {
  return (size + 3) & ~std::size_t{3};
}

/// Searches the notes in `bytes`, which may end in the middle of one.
bool holds_note(const char* bytes, std::size_t size) noexcept {
  Elf64_Nhdr note;
  while (size >= sizeof note) {
    std::memcpy(&note, bytes, sizeof note);
    bytes += sizeof note;
    size -= sizeof note;
    if (note.n_type == kNoteType && note.n_namesz == sizeof ONELANE_NOTE_OWNER &&
        size >= sizeof ONELANE_NOTE_OWNER &&
        std::memcmp(bytes, ONELANE_NOTE_OWNER, sizeof ONELANE_NOTE_OWNER) == 0) {
      return true;
    }
    const std::size_t body = padded(note.n_namesz) + padded(note.n_descsz);
    if (body > size) {
      return false;
    }
    bytes += body;
    size -= body;
  }
  return false;
}

/// Searches the notes of one segment: in `page`, the start of the file, or read from the file.
bool segment_holds_note(int fd, const char* page, std::size_t have, std::uint64_t offset,
                        std::uint64_t size) noexcept {
  if (offset < have && size <= have - offset) {
    return holds_note(page + offset, size);
  }
  char other[kPage];
  const ssize_t got = ::pread(fd, other, size < kPage ? size : kPage, static_cast<off_t>(offset));
  return got > 0 && holds_note(other, static_cast<std::size_t>(got));
}

template <typename Header, typename Segment>
bool elf_holds_note(int fd, const char* page, std::size_t have) noexcept {
  Header header;
  if (have < sizeof header) {
    return false;
  }
  std::memcpy(&header, page, sizeof header);
  if (header.e_phentsize != sizeof(Segment)) {
    return false;
  }
  int notes = 0;
  for (std::size_t i = 0; i < header.e_phnum && notes < kMostNoteSegments; ++i) {
    const std::size_t at = header.e_phoff + i * sizeof(Segment);
    if (header.e_phoff > have || at + sizeof(Segment) > have) {
      return false;
    }
    Segment segment;
    std::memcpy(&segment, page + at, sizeof segment);
    if (segment.p_type == PT_NOTE) {
      ++notes;
      if (segment_holds_note(fd, page, have, segment.p_offset, segment.p_filesz)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

bool is_onelane(int fd) noexcept {
  char page[kPage];
  const ssize_t got = ::pread(fd, page, sizeof page, 0);
  if (got < EI_NIDENT || std::memcmp(page, ELFMAG, SELFMAG) != 0) {
    return false;
  }
  const auto have = static_cast<std::size_t>(got);
  return page[EI_CLASS] == ELFCLASS64   ? elf_holds_note<Elf64_Ehdr, Elf64_Phdr>(fd, page, have)
         : page[EI_CLASS] == ELFCLASS32 ? elf_holds_note<Elf32_Ehdr, Elf32_Phdr>(fd, page, have)
                                        : false;
}

bool is_onelane(const char* path) noexcept {
  // Not lifted: it is closed before any other code can see the number, and every call does this.
  // O_NONBLOCK: a FIFO put in its place must not hang us.
  const int fd = ::open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) {
    return false;
  }
  const bool found = is_onelane(fd);
  ::close(fd);
  return found;
}

}  // namespace onelane::tool
