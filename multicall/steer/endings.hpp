#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "multicall/context/orphan_rules.hpp"
#include "multicall/steer/end_run.hpp"
#include "multicall/view/find_ticket.hpp"

namespace onelane::multicall {

/// Ends runs for `stop` and `steal`, reports each one and collects the results. end() and clear()
/// block as end_run() and clear_remains() do.
class Endings {
 public:
  /// Borrows `lanes`. With `as_json` only failures are said, on standard error.
  Endings(const LanesHere& lanes, bool as_json)
      : lanes_{lanes}, book_{run_book(lanes)}, as_json_{as_json} {}

  /// Ends a run and what it leaves, except what `stop` spares; false if it has not ended.
  bool end(const Found& found, Manner manner);
  /// Ends what an ended run has left, except what `stop` spares.
  void clear(const std::string& id);

  /// Prints a line unless the report is JSON.
  void tell(const std::string& line) const;
  /// "schema", "ended", "kept", "left".
  [[nodiscard]] nlohmann::json report() const;
  /// 0, or 1 once something could not be ended.
  [[nodiscard]] int code() const noexcept { return code_; }
  /// True if something was spared; it has been named and is in the report.
  [[nodiscard]] bool has_kept() const noexcept { return !kept_.empty(); }
  [[nodiscard]] const RunBook& book() const noexcept { return book_; }

 private:
  void name_kept(const sys::ProcessId& id, const std::string& run, std::string_view why);

  const LanesHere& lanes_;
  const RunBook book_;
  const bool as_json_;
  int code_ = 0;
  nlohmann::json ended_ = nlohmann::json::array();
  nlohmann::json kept_ = nlohmann::json::array();
  nlohmann::json left_ = nlohmann::json::array();
};

}  // namespace onelane::multicall
