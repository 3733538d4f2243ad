#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::multicall {

/// Width in columns of the terminal at descriptor `fd`; COLUMNS takes precedence. 0 when `fd` is
/// not a terminal: then do not cut lines.
[[nodiscard]] std::size_t width_of(int fd) noexcept;

/// Number of characters in `text`, which is UTF-8.
[[nodiscard]] std::size_t length_of(std::string_view text) noexcept;

/// Breaks lines longer than `width` (0: no limit) between words and indents the continuation by
/// `indent` columns; a word that is too long stays whole. Colour sequences count as zero columns.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

/// A table for people. One column may be shortened; if that is not enough, other columns are left
/// out, the least important first.
class Columns {
 public:
  struct Column {
    std::string title;
    int importance = 0;  ///< 0: always shown; of the others the lowest is left out first.
    bool may_shrink = false;
    bool is_number = false;  ///< Aligned to the right.
  };
  using Paint = std::function<std::string(std::string_view)>;

  explicit Columns(std::vector<Column> columns) : columns_{std::move(columns)} {}
  /// One printable cell per column; `paint` colours the first.
  void add(std::vector<std::string> cells, Paint paint = {});
  /// The table in at most `width` columns; 0: no limit.
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
