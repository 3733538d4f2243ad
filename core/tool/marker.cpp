#include "core/tool/marker.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "core/sys/hash.hpp"

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
  char numbers[160];
  const int size = std::snprintf(
      numbers, sizeof numbers, ":%x:%llx:%llx:%llx:%llx:%llx:%x:%x",
      static_cast<unsigned>(marker.from.pid), static_cast<unsigned long long>(marker.from.start),
      static_cast<unsigned long long>(marker.file.device),
      static_cast<unsigned long long>(marker.file.inode),
      static_cast<unsigned long long>(marker.digest), static_cast<unsigned long long>(marker.when),
      marker.repeats, marker.depth);
  std::string text;
  text.reserve(tool.size() + static_cast<std::size_t>(size) + kLaneLetter.size());
  text.append(tool).append(numbers, static_cast<std::size_t>(size));
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
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec);
}

}  // namespace onelane::tool
