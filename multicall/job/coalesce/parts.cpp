#include "multicall/job/coalesce/parts.hpp"

#include <charconv>

namespace onelane::multicall::coalesce {
namespace {

constexpr std::size_t kMostParts = 200'000;

}  // namespace

void Parts::add(int stream, std::uint64_t size) {
  if (!list_.empty() && list_.back().stream == stream) {
    list_.back().size += size;
    return;
  }
  is_whole_ = is_whole_ && list_.size() < kMostParts;
  if (is_whole_) {
    list_.push_back({stream, size});
  }
}

std::string Parts::text() const {
  std::string text;
  for (const Part& part : list_) {
    text += std::to_string(part.stream) + " " + std::to_string(part.size) + "\n";
  }
  return text;
}

std::optional<std::vector<Part>> parse_parts(std::string_view text) {
  std::vector<Part> list;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const bool has_form = end != std::string_view::npos && line.size() > 2 && line[1] == ' ' &&
                          (line[0] == '1' || line[0] == '2');
    Part part{has_form && line[0] == '2' ? 2 : 1};
    const char* const last = line.data() + line.size();
    if (!has_form || std::from_chars(line.data() + 2, last, part.size).ptr != last) {
      return std::nullopt;
    }
    list.push_back(part);
    text.remove_prefix(end + 1);
  }
  return list;
}

}  // namespace onelane::multicall::coalesce
