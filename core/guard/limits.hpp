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

/// What a limit counts; every figure of it is a whole number of these.
enum class Unit : std::uint8_t {
  Bytes,
  Count,  ///< As many as the limit are allowed; at the others a run ends when it reaches them.
  Milliseconds,
};

/// One limit: all that onelane knows of it but the figure, which is a setting of the same name.
/// In its patterns `{used}` and `{limit}` stand for figures, which the caller writes in words of
/// the unit; see filled().
struct LimitRow {
  std::string_view name;  ///< "MEMORY_LIMIT_MB"
  Unit unit;
  sys::Reason reason;  ///< In the journal and on the kill card.
  int exit_code;       ///< 124 for a limit of time, 137 for the others.
  std::uint64_t (*used)(const Moment&);

  std::string_view kind;  ///< Heads an annotation: "memory limit".
  /// Why the run was ended, on its kill card. Also `{process}` (which one), `{together}` ("3
  /// processes together"), `{allowed}` ("100 are allowed") and `{bytes}` (memory of the run).
  std::string_view ended;
  std::string_view brief;  ///< The same in a summary.
  /// What is said at half of the limit, and at all of one that ends no run; empty for never. Also
  /// `{process}`.
  std::string_view warning = {};
  bool warns_at_half = false;
  bool is_of_one_process = false;  ///< It bounds each process by itself: the largest is named.
  /// A lower bound of what the machine has left, not an upper one of what the run uses.
  bool is_floor = false;
  /// Percent of the machine's memory (or the container's) that a built-in figure may be at most;
  /// 0 for any.
  unsigned most_percent = 0;
};

/// All limits, in the order in which a run is judged by them.
[[nodiscard]] std::span<const LimitRow> limit_rows() noexcept;

/// nullptr for a reason that is no limit.
[[nodiscard]] const LimitRow* row_of(sys::Reason reason) noexcept;

/// The figure of one limit, with what a person needs to change it.
struct Limit {
  std::uint64_t value = 0;  ///< In the row's unit; 0 for none.
  std::string place;        ///< "/p/.env.development:3", "built-in"
  std::string key;          ///< As written there; empty for a built-in value.
  bool ends = true;         ///< Or only warns.
};

/// Everything that bounds one run.
class Limits {
 public:
  [[nodiscard]] const Limit& operator[](sys::Reason reason) const noexcept {
    return limits_[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] Limit& operator[](sys::Reason reason) noexcept {
    return limits_[static_cast<std::size_t>(reason)];
  }
  /// Limits of this unit no longer count.
  void lift(Unit unit) noexcept;

  std::chrono::milliseconds check_interval{5'000};

 private:
  std::array<Limit, sys::kReasonWords.size()> limits_;  ///< Those of no row stay 0.
};

/// `pattern` with each `{name}` replaced by its text.
struct Word {
  std::string_view name;
  std::string text;
};
[[nodiscard]] std::string filled(std::string_view pattern, std::span<const Word> words);

}  // namespace onelane::guard
