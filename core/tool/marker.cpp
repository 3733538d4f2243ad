#include "core/tool/marker.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ctime>

#include "core/sys/hash.hpp"
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

/// Levels for a supervisor, the wrapper that it runs, the wrapper's helper, and a shell below.
constexpr int kNearLevels = 4;

constexpr std::string_view kLaneLetter = ":l";
constexpr int kNumbers = 8;

/// The numbers after the tool's name, each preceded by a colon, in hexadecimal.
class Fields {
 public:
  explicit Fields(std::string_view text) noexcept : text_{text} {}

  template <typename Number>
  Fields& operator>>(Number& out) noexcept {
    if (!good_ || !text_.starts_with(':')) {
      good_ = false;
      return *this;
    }
    const char* end = text_.data() + text_.size();
    const auto [rest, error] = std::from_chars(text_.data() + 1, end, out, 16);
    good_ = error == std::errc{};
    text_ = {rest, static_cast<std::size_t>(end - rest)};
    return *this;
  }
  [[nodiscard]] bool complete() const noexcept { return good_ && text_.empty(); }
  /// True at the end of the text, or before the letter of a lane call, which old readers ignore.
  [[nodiscard]] bool complete_but_for_letter(bool& has_letter) const noexcept {
    has_letter = good_ && text_ == kLaneLetter;
    return complete() || has_letter;
  }

 private:
  std::string_view text_;
  bool good_ = true;
};

constexpr std::uint32_t kNoteType = 1;
/// Where linkers put headers and notes; read onto the stack, which a larger piece would grow.
constexpr std::size_t kHead = 1024;
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

/// Not inlined: most executables have their notes at the start of the file.
[[gnu::noinline]] bool file_holds_note(int fd, std::uint64_t offset, std::uint64_t size) noexcept {
  char notes[kPage];
  const ssize_t got = ::pread(fd, notes, size < kPage ? size : kPage, static_cast<off_t>(offset));
  return got > 0 && holds_note(notes, static_cast<std::size_t>(got));
}

/// Searches the notes of one segment: in `head`, the start of the file, or read from the file.
bool segment_holds_note(int fd, const char* head, std::size_t have, std::uint64_t offset,
                        std::uint64_t size) noexcept {
  if (offset < have && size <= have - offset) {
    return holds_note(head + offset, size);
  }
  return file_holds_note(fd, offset, size);
}

template <typename Header, typename Segment>
bool elf_holds_note(int fd, const char* head, std::size_t have) noexcept {
  Header header;
  if (have < sizeof header) {
    return false;
  }
  std::memcpy(&header, head, sizeof header);
  if (header.e_phentsize != sizeof(Segment)) {
    return false;
  }
  int notes = 0;
  for (std::size_t i = 0; i < header.e_phnum && notes < kMostNoteSegments; ++i) {
    const std::size_t at = header.e_phoff + i * sizeof(Segment);
    Segment segment;
    if (header.e_phoff <= have && at + sizeof segment <= have) {
      std::memcpy(&segment, head + at, sizeof segment);
    } else if (header.e_phoff > kPage || at + sizeof segment > kPage ||
               ::pread(fd, &segment, sizeof segment, static_cast<off_t>(at)) !=
                   static_cast<ssize_t>(sizeof segment)) {
      return false;
    }
    if (segment.p_type == PT_NOTE) {
      ++notes;
      if (segment_holds_note(fd, head, have, segment.p_offset, segment.p_filesz)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

std::optional<Marker> parse_marker(const char* text, std::string_view tool) noexcept {
  if (text == nullptr) {
    return std::nullopt;
  }
  std::string_view rest{text};
  if (!rest.starts_with(tool)) {
    return std::nullopt;
  }
  rest.remove_prefix(tool.size());
  Marker out;
  Fields fields{rest};
  fields >> out.from.pid >> out.from.start >> out.file.device >> out.file.inode >> out.digest >>
      out.when >> out.repeats >> out.depth;
  return fields.complete_but_for_letter(out.is_lane_call) ? std::optional{out} : std::nullopt;
}

bool is_lane_call(std::string_view text, const sys::ProcessId& id) noexcept {
  if (!text.ends_with(kLaneLetter)) {
    return false;
  }
  std::size_t at = text.size() - kLaneLetter.size();  // a tool's name may have colons
  for (int i = 0; i < kNumbers; ++i) {
    at = at == 0 ? std::string_view::npos : text.rfind(':', at - 1);
    if (at == std::string_view::npos) {
      return false;
    }
  }
  sys::ProcessId from;
  Fields{text.substr(at)} >> from.pid >> from.start;
  return from == id;
}

std::string format_marker(const Marker& marker, std::string_view tool) {
  constexpr std::size_t kLongest = 17;  // a colon and 16 digits
  std::string text;
  text.reserve(tool.size() + kNumbers * kLongest + kLaneLetter.size());
  text.append(tool);
  const std::array<std::uint64_t, kNumbers> numbers{static_cast<std::uint32_t>(marker.from.pid),
                                                    marker.from.start,
                                                    marker.file.device,
                                                    marker.file.inode,
                                                    marker.digest,
                                                    marker.when,
                                                    marker.repeats,
                                                    marker.depth};
  for (const std::uint64_t number : numbers) {
    std::array<char, kLongest> digits{':'};
    const auto end = std::to_chars(digits.data() + 1, digits.data() + digits.size(), number, 16);
    text.append(digits.data(), end.ptr);
  }
  return text.append(marker.is_lane_call ? kLaneLetter : std::string_view{});
}

std::uint64_t digest_of(std::span<char* const> args) noexcept {
  // Short, and there is nothing to gain from finding two calls that collide.
  std::uint64_t digest = sys::fnv1a({});
  for (const char* arg : args) {
    digest = sys::fnv1a({arg, std::strlen(arg) + 1}, digest);
  }
  // By identity: a deleted directory has one too, and it does not depend on the path.
  struct stat info {};
  if (::stat(".", &info) == 0) {
    digest = sys::fnv1a(sys::bytes_of(info.st_dev), digest);
    digest = sys::fnv1a(sys::bytes_of(info.st_ino), digest);
  }
  return digest;
}

Kin kin_of(const sys::ProcessId& from, const sys::ProcessId& self) noexcept {
  if (from.pid == self.pid) {
    return from.start == self.start ? Kin::Executed : Kin::None;
  }
  if (self.start == 0) {
    return Kin::Spawned;  // no /proc: better to believe a stale marker than to loop forever
  }
  pid_t parent = ::getppid();
  for (int level = 1; level <= kNearLevels && parent > 0; ++level) {
    const auto stat = sys::read_stat(parent);
    if (!stat) {
      return Kin::None;
    }
    if (parent == from.pid) {
      return stat->id.start == from.start ? Kin::Spawned : Kin::None;
    }
    parent = stat->parent;
  }
  return Kin::None;
}

std::uint64_t seconds_after_boot() noexcept {
  // By a system call: the page that the vDSO would read costs more, and a call that passes needs it
  // for nothing else.
  timespec now{};
  ::syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec);
}

bool is_onelane(int fd) noexcept {
  char head[kHead];
  const ssize_t got = ::pread(fd, head, sizeof head, 0);
  if (got < EI_NIDENT || std::memcmp(head, ELFMAG, SELFMAG) != 0) {
    return false;
  }
  const auto have = static_cast<std::size_t>(got);
  return head[EI_CLASS] == ELFCLASS64   ? elf_holds_note<Elf64_Ehdr, Elf64_Phdr>(fd, head, have)
         : head[EI_CLASS] == ELFCLASS32 ? elf_holds_note<Elf32_Ehdr, Elf32_Phdr>(fd, head, have)
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
