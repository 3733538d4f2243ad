#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::multicall {

/// Width of the terminal behind descriptor `fd` (COLUMNS first); 0 where it is none, and
/// nothing is to be cut.
[[nodiscard]] std::size_t width_of(int fd) noexcept;

/// Characters of `text`, which is UTF-8.
[[nodiscard]] std::size_t length_of(std::string_view text) noexcept;

/// Breaks the lines of a text that are longer than `width` (0: none is) between words and goes on
/// `indent` columns in; a word that is too long stays whole. Colours take no room.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

/// A table for people. One column may be shortened; where that is not enough others are left
/// out, the least important first.
class Columns {
 public:
  struct Column {
    std::string title;
    int importance = 0;  ///< 0 stays; of the others the lowest goes first.
    bool may_shrink = false;
    bool is_number = false;  ///< Stands on the right.
  };
  using Paint = std::function<std::string(std::string_view)>;

  explicit Columns(std::vector<Column> columns) : columns_{std::move(columns)} {}
  /// One cell a column, printable; `paint` colours the first.
  void add(std::vector<std::string> cells, Paint paint = {});
  /// With `width` 0 nothing is cut.
  [[nodiscard]] std::string text(std::size_t width) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    Paint paint;
  };
  struct Layout {
    std::vector<std::size_t> widths;  ///< 0 for a column that is left out.
  };
  void drop_least_important(std::vector<std::size_t>& widths, std::size_t width) const;
  [[nodiscard]] Layout layout(std::size_t width) const;
  [[nodiscard]] std::string line_of(const Row& row, const Layout& layout) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace onelane::multicall
