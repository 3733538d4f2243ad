#include "multicall/term/columns.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace onelane::multicall {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 20;  ///< The flexible column keeps this until others are gone.
constexpr std::string_view kCut = "…";

bool begins_character(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80;
}

std::string cut(const std::string& text, std::size_t width) {
  if (length_of(text) <= width || width == 0) {
    return text;
  }
  std::size_t end = 0;
  for (std::size_t seen = 0; end < text.size(); ++end) {
    if (begins_character(text[end]) && ++seen == width) {
      break;
    }
  }
  return text.substr(0, end).append(kCut);
}

std::size_t total_of(const std::vector<std::size_t>& widths) {
  std::size_t total = 0;
  for (const std::size_t width : widths) {
    total += width == 0 ? 0 : width + kGap;
  }
  return total - std::min(total, kGap);
}

}  // namespace

std::size_t width_of(int fd) noexcept {
  if (::isatty(fd) != 1) {
    return 0;
  }
  const char* columns = std::getenv("COLUMNS");
  const long set = columns == nullptr ? 0 : std::strtol(columns, nullptr, 10);
  if (set > 0 && set < 10'000) {
    return static_cast<std::size_t>(set);
  }
  struct winsize size {};
  return ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::size_t length_of(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(text, begins_character));
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  if (width <= indent) {
    return std::string{text};
  }
  std::string out;
  std::size_t column = 0;
  std::size_t blank = std::string::npos;  // offset in `out` where the line may be broken
  std::size_t at_blank = 0;               // the column after that blank
  bool is_escape = false;
  for (const char c : text) {
    is_escape = is_escape || c == '\033';
    column += !is_escape && begins_character(c) ? 1U : 0U;
    is_escape = is_escape && c != 'm';
    if (c == '\n') {
      column = 0;
      blank = std::string::npos;
    } else if (c == ' ' && column > indent) {
      blank = out.size();
      at_blank = column;
    }
    out += c;
    if (column > width && blank != std::string::npos) {
      out.replace(blank, 1, "\n" + std::string(indent, ' '));
      column = column - at_blank + indent;
      blank = std::string::npos;
    }
  }
  return out;
}

void Columns::add(std::vector<std::string> cells, Paint paint) {
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells), std::move(paint)});
}

void Columns::drop_least_important(std::vector<std::size_t>& widths, std::size_t width) const {
  while (total_of(widths) > width) {
    std::size_t least = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const bool may_go = columns_[i].importance > 0 && widths[i] > 0;
      if (may_go &&
          (least == columns_.size() || columns_[i].importance < columns_[least].importance)) {
        least = i;
      }
    }
    if (least == columns_.size()) {
      return;
    }
    widths[least] = 0;
  }
}

Columns::Layout Columns::layout(std::size_t width) const {
  Layout layout;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t widest = 0;
    for (const Row& row : rows_) {
      widest = std::max(widest, length_of(row.cells[i]));
    }
    // A column without entries is left out.
    layout.widths.push_back(widest == 0 ? 0 : std::max(widest, length_of(columns_[i].title)));
  }
  const auto shrinks = std::ranges::find(columns_, true, &Column::may_shrink);
  if (width == 0 || shrinks == columns_.end()) {
    return layout;
  }
  auto& widths = layout.widths;
  std::size_t& flexible = widths[static_cast<std::size_t>(shrinks - columns_.begin())];
  const std::size_t wanted = flexible;
  flexible = std::min(wanted, kNarrowest);
  drop_least_important(widths, width);
  const std::size_t total = total_of(widths);
  flexible = total > width ? std::max<std::size_t>(1, flexible - std::min(flexible, total - width))
                           : std::min(wanted, flexible + width - total);
  return layout;
}

std::string Columns::line_of(const Row& row, const Layout& layout) const {
  std::string line;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::size_t width = layout.widths[i];
    if (width == 0) {
      continue;
    }
    const std::string cell = cut(row.cells[i], width);
    const std::string fill(width - length_of(cell), ' ');
    const bool is_number = columns_[i].is_number;
    line += (is_number ? fill : "") + (i == 0 && row.paint ? row.paint(cell) : cell) +
            (is_number ? "" : fill) + std::string(kGap, ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string Columns::text(std::size_t width) const {
  const Layout sizes = layout(width);
  Row titles;
  for (const Column& column : columns_) {
    titles.cells.push_back(column.title);
  }
  std::string out = line_of(titles, sizes);
  for (const Row& row : rows_) {
    out += line_of(row, sizes);
  }
  return out;
}

}  // namespace onelane::multicall
