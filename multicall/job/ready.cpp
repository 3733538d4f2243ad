#include "multicall/job/ready.hpp"

#include <algorithm>

#include "core/sys/text.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall {
namespace {

constexpr std::size_t kLongestShownText = 28;  ///< What fits into a ticket (lane::Detail).

bool names(const settings::ReadyRule& rule, const Call& call) {
  if (rule.tool != call.name) {
    return false;
  }
  if (rule.argument.empty()) {
    return true;
  }
  const auto known_by = shims::subjects_of(call.name, call.args);
  return std::ranges::find(known_by, rule.argument) != known_by.end() ||
         (!call.args.empty() && call.args.front() == rule.argument);
}

}  // namespace

std::optional<settings::Ready> ready_rule_for(const Call& call,
                                              const settings::Settings& settings) {
  for (const std::string& item : settings.release_on_ready.value) {
    auto rule = settings::parse_ready_rule(item);
    if (rule && names(*rule, call)) {
      return std::move(rule->ready);
    }
  }
  return std::nullopt;
}

std::string words_of(const settings::Ready& ready) {
  return ready.port != 0 ? "port " + std::to_string(ready.port) + " listens"
                         : "a line has \"" + sys::printable(ready.text, kLongestShownText) + "\"";
}

}  // namespace onelane::multicall
