#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shims/args.hpp"
#include "shims/clamp.hpp"

/// Worker counts on command lines. Not for use outside shims/.
namespace onelane::shims {

/// A number as it stands: digits only, as large as they say (the largest there is beyond).
[[nodiscard]] std::optional<unsigned long long> plain_number(std::string_view text);

/// The words of `text` between spaces, as views into it.
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view text);

/// Arguments with some values replaced; everything else stays byte for byte.
class Rewritten {
 public:
  explicit Rewritten(Args args) : args_{args} {}
  /// Replaces the last `length` bytes of argument `at` by `value`.
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

/// `-n` and `--maxprocesses` of pytest-xdist: the last of each counts, the smaller bounds.
void lower_pytest(Args args, unsigned workers, Rewritten& out);

/// The worker counts of vitest, each one.
void lower_vitest(Args args, unsigned workers, unsigned processors, Rewritten& out);

/// Somebody has said how make shares its jobs: `-j` on this make's command line or `-j` or a
/// jobserver in MAKEFLAGS.
[[nodiscard]] bool make_has_jobs(const ClampRequest& request);

/// How vitest comes by its count of workers in this call.
enum class VitestCount {
  Automatic,  ///< The command line and the config file name none.
  Within,     ///< They name one, not above the bound.
  Above,      ///< The config file names one above the bound, or one that cannot be read.
  Unseen,     ///< Another tool, that may or may not run vitest.
};
[[nodiscard]] VitestCount vitest_count(const ClampRequest& request);

/// The config file names a smallest count, which must not be above the largest.
[[nodiscard]] bool vitest_has_minimum(const ClampRequest& request);

}  // namespace onelane::shims
