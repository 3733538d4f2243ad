#include "core/journal/stored_line.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <string>
#include <vector>

#include "core/journal/fields.hpp"
#include "core/sys/text.hpp"

namespace onelane::journal {
namespace {

/// to_line cuts no text and no list below these.
constexpr std::size_t kSurelyWhole = 4096;

enum class Zero : bool { IsLeftOut, IsWritten };

/// Passes over a line field by field, as to_line writes them; `holds_` is false once it has
/// another.
class FormCheck {
 public:
  explicit FormCheck(std::string_view line) : rest_{line} {}

  void operator()(std::string_view name, const std::string& /*field*/) {
    if (key(name)) {
      need(value_of(name) > 0);
    }
  }
  void operator()(std::string_view name, const std::int64_t& /*field*/) {
    if (key(name)) {
      number<std::int64_t>(Zero::IsLeftOut);
    }
  }
  void operator()(std::string_view name, const std::uint64_t& /*field*/) {
    if (key(name)) {
      number<std::uint64_t>(Zero::IsLeftOut);
    }
  }
  void operator()(std::string_view name, const std::optional<std::int64_t>& /*field*/) {
    if (key(name)) {
      number<std::int64_t>(Zero::IsWritten);
    }
  }
  void operator()(std::string_view name, const bool& /*field*/) {
    if (key(name)) {
      need(take("true"));
    }
  }
  void operator()(std::string_view name, const Reason& /*field*/) {
    need(key(name));
    const std::string_view from = rest_;
    const std::size_t size = text();
    need(size > 0 && reason_of(from.substr(1, size)).has_value());
  }
  void operator()(std::string_view name, const std::vector<std::string>& /*field*/) {
    if (!key(name)) {
      return;
    }
    std::size_t size = 0;
    need(take("["));
    do {
      size += value_of(name) + 1;
    } while (holds_ && take(","));
    need(take("]") && size <= kSurelyWhole);
  }
  void operator()(std::string_view name, const std::array<std::uint64_t, 8>& /*field*/) {
    context_ = rest_.data();
    if (key(name)) {
      need(take("["));
      do {
        number<std::uint64_t>(Zero::IsWritten);
      } while (holds_ && take(","));
      need(take("]"));
    }
    behind_ = rest_.data();
  }
  void operator()(std::string_view name, const std::vector<Process>& /*field*/) {
    need(!key(name));
  }

  std::optional<StoredLine> check() {
    static const Record none;
    const char* const begin = rest_.data();
    need(take(kLineStart));
    number<int>(Zero::IsLeftOut);
    need(begin[kLineStart.size()] != '-');
    (*this)("id", none.id);
    visit_fields(none, *this);
    const char* const end = rest_.data();
    need(take("}"));
    (void)take("\n");
    if (!holds_ || !rest_.empty()) {
      return std::nullopt;
    }
    return StoredLine{{begin, static_cast<std::size_t>(context_ - begin)},
                      {behind_, static_cast<std::size_t>(end - behind_)}};
  }

 private:
  void need(bool holds) { holds_ = holds_ && holds; }

  bool take(std::string_view text) {
    const bool is_there = holds_ && rest_.starts_with(text);
    rest_.remove_prefix(is_there ? text.size() : 0);
    return is_there;
  }

  /// The comma, the name and the colon of a field.
  bool key(std::string_view name) {
    const std::size_t size = name.size() + 4;
    if (!holds_ || rest_.size() < size || rest_[2] != name[0] || !rest_.starts_with(",\"") ||
        rest_.substr(2, name.size()) != name || rest_.substr(size - 2, 2) != "\":") {
      return false;
    }
    rest_.remove_prefix(size);
    return true;
  }

  /// A string, of the form that this field needs.
  std::size_t value_of(std::string_view name) {
    const std::string_view from = rest_;
    const std::size_t size = text();
    const bool is_id = name == "id" || name == "batch" || name == "joined" || name == "jobs" ||
                       name == "pipeline_of";
    need(!is_id || (holds_ && is_run_id(from.substr(1, size))));
    return size;
  }

  /// A string; its bytes between the quotes.
  std::size_t text() {
    need(take("\""));
    std::size_t i = 0;
    while (holds_ && i < rest_.size() && rest_[i] != '"') {
      const bool is_escape =
          rest_[i] == '\\' && i + 1 < rest_.size() && (rest_[i + 1] == '"' || rest_[i + 1] == '\\');
      need(is_escape || sys::kPlain[static_cast<unsigned char>(rest_[i])]);
      i += is_escape ? 2 : 1;
    }
    need(i < rest_.size() && i <= kSurelyWhole);
    rest_.remove_prefix(holds_ ? i + 1 : 0);
    return i;
  }

  template <class Number>
  void number(Zero zero) {
    const char* const begin = rest_.data();
    Number value = 0;
    const auto [end, error] = std::from_chars(begin, begin + rest_.size(), value);
    const auto size = static_cast<std::size_t>(end - begin);
    const bool has_zeros = size > 1 && (begin[0] == '0' || (begin[0] == '-' && begin[1] == '0'));
    need(error == std::errc{} && !has_zeros && (value != 0 || zero == Zero::IsWritten));
    // "No code" to parse.
    need(!std::is_signed_v<Number> || value != std::numeric_limits<Number>::min());
    rest_.remove_prefix(holds_ ? size : 0);
  }

  std::string_view rest_;
  const char* context_ = nullptr;
  const char* behind_ = nullptr;
  bool holds_ = true;
};

}  // namespace

std::optional<StoredLine> as_stored(std::string_view line) noexcept {
  return FormCheck{line}.check();
}

}  // namespace onelane::journal
