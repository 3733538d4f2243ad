#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shims/args.hpp"
#include "shims/clamp.hpp"

/// Worker counts on command lines. Not for use outside shims/.
namespace onelane::shims {

/// The value of a text of digits only; numbers too large to represent become the largest value.
[[nodiscard]] std::optional<unsigned long long> plain_number(std::string_view text);

/// The space-separated words of `text`, as views into it.
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view text);

/// Arguments with some values replaced; the rest is kept byte for byte.
class Rewritten {
 public:
  explicit Rewritten(Args args) : args_{args} {}
  /// Replaces the last `length` bytes of argument `at` with `value`.
  void replace(std::size_t at, std::size_t length, const std::string& value);
  [[nodiscard]] bool any() const { return !words_.empty(); }
  /// All arguments; empty when nothing was replaced.
  [[nodiscard]] const std::vector<std::string>& words() const { return words_; }
  /// "-j16 -> -j4", "-n 8 -> -n 2".
  [[nodiscard]] const std::vector<std::string>& changes() const { return changes_; }

 private:
  Args args_;
  std::vector<std::string> words_;
  std::vector<std::string> changes_;
};

/// `-j` of make: the last one counts; without a number it means no limit.
void lower_make(Args args, unsigned workers, Rewritten& out);

/// `-n` and `--maxprocesses` of pytest-xdist: the last of each counts, and the smaller one applies.
void lower_pytest(Args args, unsigned workers, Rewritten& out);

/// Lowers every worker count of vitest.
void lower_vitest(Args args, unsigned workers, unsigned processors, Rewritten& out);

/// True when make's job count is already set: by `-j` on this make's command line, or by `-j` or a
/// jobserver in MAKEFLAGS.
[[nodiscard]] bool make_has_jobs(const ClampRequest& request);

/// How vitest gets its worker count in this call.
enum class VitestCount {
  Automatic,  ///< Neither the command line nor the config file names one.
  Within,     ///< They name one, not above the bound.
  Above,      ///< The config file names one above the bound, or one that cannot be read.
  Unseen,     ///< Another tool, which may or may not run vitest.
};
[[nodiscard]] VitestCount vitest_count(const ClampRequest& request);

/// True when the config file names a smallest count, which must not exceed the largest.
[[nodiscard]] bool vitest_has_minimum(const ClampRequest& request);

}  // namespace onelane::shims
