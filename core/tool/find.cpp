#include "core/tool/find.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "core/sys/process.hpp"
#include "core/tool/note.hpp"

namespace onelane::tool {
namespace {

constexpr int kCloseLevels = 4;
constexpr int kRepeatsOfAWrapper = 8;
constexpr int kHardStop = 16;

/// True when the notes in `bytes` hold ours.
bool holds_note(const char* bytes, std::size_t size) noexcept {
  const ElfNote& own = own_note();
  for (std::size_t at = 0; at + sizeof own <= size; at += 4) {
    if (std::memcmp(bytes + at, &own, offsetof(ElfNote, description)) == 0) {
      return true;
    }
  }
  return false;
}

/// Looks through the PT_NOTE segments; `head` is the start of the file.
bool has_note(int fd, const char* head, std::size_t size) noexcept {
  Elf64_Ehdr header;
  if (size < sizeof header || std::memcmp(head, ELFMAG, SELFMAG) != 0) {
    return false;
  }
  std::memcpy(&header, head, sizeof header);
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    const std::size_t at = header.e_phoff + i * sizeof segment;
    if (header.e_phentsize != sizeof segment || at + sizeof segment > size) {
      return false;
    }
    std::memcpy(&segment, head + at, sizeof segment);
    if (segment.p_type != PT_NOTE) {
      continue;
    }
    const std::size_t length = std::min<std::size_t>(segment.p_filesz, 2048);
    if (segment.p_offset + length <= size) {
      if (holds_note(head + segment.p_offset, length)) {
        return true;
      }
      continue;
    }
    std::array<char, 2048> notes;
    const ssize_t got = ::pread(fd, notes.data(), length, static_cast<off_t>(segment.p_offset));
    if (got > 0 && holds_note(notes.data(), static_cast<std::size_t>(got))) {
      return true;
    }
  }
  return false;
}

Verdict judge(const char* path, FileId& file) noexcept {
  struct stat info {};
  if (::stat(path, &info) != 0 || !S_ISREG(info.st_mode)) {
    return Verdict::NotAFile;
  }
  file = {info.st_dev, info.st_ino};
  if (file == self_file()) {
    return Verdict::Self;
  }
  if (::faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0) {
    return Verdict::NotExecutable;
  }
  return is_onelane(path) ? Verdict::OnelaneCopy : Verdict::Real;
}

/// Calls `visit(path)` for each place of `name` on PATH until it returns true.
template <class Visit>
void walk_path(std::string_view name, const char* path, const Visit& visit) {
  std::array<char, 1024> fallback{};
  if (path == nullptr) {
    ::confstr(_CS_PATH, fallback.data(), fallback.size());
    path = fallback.data();
  }
  if (name.empty() || name.find('/') != std::string_view::npos) {
    return;
  }
  std::string candidate;
  std::string here;
  for (std::string_view rest{path};;) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    const std::string_view entry = rest.substr(0, colon);
    bool usable = true;
    if (entry.starts_with('/')) {
      candidate.assign(entry);
    } else {
      // Made absolute now: the tool may be looked for again from elsewhere.
      std::array<char, 4096> buffer;
      if (here.empty() && ::getcwd(buffer.data(), buffer.size()) != nullptr) {
        here = buffer.data();
      }
      usable = here.starts_with('/');
      candidate = entry.empty() ? here : here + "/" + std::string{entry};
    }
    candidate.append("/").append(name);
    if ((usable && visit(candidate)) || colon == rest.size()) {
      return;
    }
    rest.remove_prefix(colon + 1);
  }
}

struct Marker {
  std::string_view tool;
  sys::ProcessId process;
  FileId file;
  std::uint64_t digest = 0;
  int hops = 0;
};

std::optional<Marker> parse_marker(std::string_view text) {
  std::array<std::string_view, 7> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    parts[i] = text.substr(0, colon);
    text.remove_prefix(std::min(colon + 1, text.size()));
  }
  const auto number = [](std::string_view part, auto& out) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), out);
    return error == std::errc{} && end == part.data() + part.size();
  };
  Marker marker;
  marker.tool = parts[0];
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  if (!number(parts[1], marker.process.pid) || !number(parts[2], marker.process.start) ||
      !number(parts[3], device) || !number(parts[4], inode) || !number(parts[5], marker.digest) ||
      !number(parts[6], marker.hops)) {
    return std::nullopt;
  }
  marker.file = {device, inode};
  return marker;
}

std::uint64_t digest_of(std::span<char* const> args) noexcept {
  std::uint64_t hash = 1469598103934665603ULL;
  const auto mix = [&](const char* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      hash = (hash ^ static_cast<unsigned char>(bytes[i])) * 1099511628211ULL;
    }
  };
  for (const char* arg : args) {
    mix(arg, std::strlen(arg) + 1);
  }
  struct stat here {};
  if (::stat(".", &here) == 0) {
    mix(reinterpret_cast<const char*>(&here.st_dev), sizeof here.st_dev);
    mix(reinterpret_cast<const char*>(&here.st_ino), sizeof here.st_ino);
  }
  return hash;
}

bool is_close(const sys::ProcessId& process, const sys::ProcessId& self) noexcept {
  sys::ProcessId at = self;
  for (int level = 0; level <= kCloseLevels; ++level) {
    if (at == process) {
      return true;
    }
    const auto stat = sys::read_stat(at.pid);
    const auto parent = stat ? sys::read_stat(stat->parent) : std::nullopt;
    if (!parent) {
      return false;
    }
    at = parent->id;
  }
  return false;
}

}  // namespace

FileId self_file() noexcept {
  static const FileId file = [] {
    struct stat info {};
    return ::stat("/proc/self/exe", &info) == 0 ? FileId{info.st_dev, info.st_ino} : FileId{};
  }();
  return file;
}

bool is_onelane(const char* path) noexcept {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) {
    return false;  // execute-only: none of ours
  }
  std::array<char, 4096> head;
  const ssize_t got = ::pread(fd, head.data(), head.size(), 0);
  const bool found = got > 0 && has_note(fd, head.data(), static_cast<std::size_t>(got));
  ::close(fd);
  return found;
}

std::vector<Candidate> all_candidates(std::string_view name, const char* path) {
  std::vector<Candidate> out;
  walk_path(name, path, [&](const std::string& place) {
    Candidate candidate{place, {}, Verdict::Real};
    candidate.verdict = judge(place.c_str(), candidate.file);
    struct stat info {};
    if (::lstat(place.c_str(), &info) == 0) {
      out.push_back(std::move(candidate));
    }
    return false;
  });
  return out;
}

Found find_real(const Request& request) {
  const sys::ProcessId self = sys::self_id();
  const std::uint64_t digest = digest_of(request.args);
  auto marker = request.at == nullptr || request.restarts ? std::nullopt : parse_marker(request.at);
  if (marker && (marker->tool != request.name || !is_close(marker->process, self))) {
    marker.reset();
  }
  const bool same = marker && marker->digest == digest;
  const int hops = marker ? marker->hops + 1 : 0;
  const bool skip = same || (marker && hops >= kRepeatsOfAWrapper);
  std::string first;
  FileId first_file;
  std::string after;
  FileId after_file;
  bool passed = false;
  walk_path(request.name, request.path, [&](const std::string& place) {
    FileId file;
    if (judge(place.c_str(), file) != Verdict::Real) {
      return false;
    }
    if (first.empty()) {
      first = place;
      first_file = file;
    }
    if (!skip) {
      return true;
    }
    if (passed && file != marker->file) {
      after = place;
      after_file = file;
      return true;
    }
    if (!passed && file == marker->file) {
      passed = true;
      first = place;  // taken again when nothing is left after it
      first_file = file;
    }
    return false;
  });
  if (first.empty()) {
    return {};
  }
  if (after.empty() && same && hops >= kHardStop) {
    return {Outcome::Loop, first, {}};
  }
  const bool moved_on = !after.empty();
  const FileId& chosen = moved_on ? after_file : first_file;
  Found found{Outcome::Found, moved_on ? after : first, {}};
  found.at = std::string{request.name} + ":" + std::to_string(self.pid) + ":" +
             std::to_string(self.start) + ":" + std::to_string(chosen.device) + ":" +
             std::to_string(chosen.inode) + ":" + std::to_string(digest) + ":" +
             std::to_string(moved_on ? 0 : hops);
  return found;
}

}  // namespace onelane::tool
