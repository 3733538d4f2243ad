#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/sys/reason.hpp"

namespace onelane::guard {

struct Moment;

/// What a limit counts; all its figures are whole numbers of this unit.
enum class Unit : std::uint8_t {
  Bytes,
  Count,  ///< The limit itself is allowed; with other units a run ends when it reaches the limit.
  Milliseconds,
};

/// One limit: all that onelane knows of it except the figure, which is a setting of the same name.
/// In the patterns `{used}` and `{limit}` stand for figures with their unit, which the caller fills
/// in; see filled().
struct LimitRow {
  std::string_view name;  ///< "MEMORY_LIMIT_MB"
  Unit unit;
  sys::Reason reason;  ///< In the journal and on the kill card.
  int exit_code;       ///< 124 for a limit of time, 137 for the others.
  std::uint64_t (*used)(const Moment&);

  std::string_view kind;  ///< Title of an annotation: "memory limit".
  /// Why the run was ended, on its kill card. Also `{process}` (which one), `{together}` ("3
  /// processes together"), `{allowed}` ("100 are allowed") and `{bytes}` (memory of the run).
  std::string_view ended;
  std::string_view brief;  ///< The same in a summary.
  /// The warning at half of the limit, or at all of a limit that only warns; empty: no warning. May
  /// use `{process}`.
  std::string_view warning = {};
  bool warns_at_half = false;
  bool is_of_one_process = false;  ///< Applies to each process; the largest is named.
  /// A lower bound on what the machine has left, not an upper bound on what the run uses.
  bool is_floor = false;
  /// Cap on a built-in figure, in percent of the machine's (or container's) memory; 0: no cap.
  unsigned most_percent = 0;
};

/// All limits, in the order in which a run is checked against them.
[[nodiscard]] std::span<const LimitRow> limit_rows() noexcept;

/// nullptr for a reason that is not a limit.
[[nodiscard]] const LimitRow* row_of(sys::Reason reason) noexcept;

/// The figure of one limit, with what the user needs to change it.
struct Limit {
  std::uint64_t value = 0;  ///< In the row's unit; 0 for none.
  std::string place;        ///< "/p/.env.development:3", "built-in"
  std::string key;          ///< As written there; empty for a built-in value.
  bool ends = true;         ///< Ends the run; otherwise only warns.
};

/// All limits of one run.
class Limits {
 public:
  [[nodiscard]] const Limit& operator[](sys::Reason reason) const noexcept {
    return limits_[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] Limit& operator[](sys::Reason reason) noexcept {
    return limits_[static_cast<std::size_t>(reason)];
  }
  /// Disables the limits of this unit.
  void lift(Unit unit) noexcept;

  std::chrono::milliseconds check_interval{5'000};

 private:
  std::array<Limit, sys::kReasonWords.size()> limits_;  ///< 0 for a reason that is not a limit.
};

/// A name in a pattern and the text that replaces it.
struct Word {
  std::string_view name;
  std::string text;
};
[[nodiscard]] std::string filled(std::string_view pattern, std::span<const Word> words);

}  // namespace onelane::guard
