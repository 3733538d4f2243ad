#include "core/lane/nesting.hpp"

#include <gtest/gtest.h>

namespace onelane::lane {
namespace {

/// The visible ancestors of a call, and whether they prove that a supervisor with start time 100 is
/// not among the hidden ones.
struct Sight {
  const char* what;
  std::vector<std::uint64_t> starts;  ///< Parent first.
  bool complete;
  bool is_proof;
};

TEST(RulesOutTest, OnlyASupervisorYoungerThanAVisibleAncestorIsNotHidden) {
  const std::vector<Sight> sights{
      {"all are visible, all younger", {300, 200}, true, true},
      {"all are visible: there are none", {}, true, true},
      {"none is visible", {}, false, false},
      {"a shell from after the holder's start", {200}, false, false},
      {"a shell from before", {50}, false, true},
      {"a shell of the same tick", {100}, false, false},
      {"one tick older", {99}, false, true},
      {"a young shell in an old session", {300, 40}, false, true},
      {"an older one with a younger parent: impossible by birth or adoption",
       {40, 300},
       false,
       true},
  };
  for (const Sight& sight : sights) {
    sys::Ancestry ancestry;
    ancestry.complete = sight.complete;
    for (const std::uint64_t start : sight.starts) {
      sys::ProcessStat stat;
      stat.id = {static_cast<pid_t>(ancestry.chain.size()) + 10, start};
      ancestry.chain.push_back(stat);
    }
    EXPECT_EQ(rules_out(ancestry, {7, 100}), sight.is_proof) << sight.what;
  }
}

}  // namespace
}  // namespace onelane::lane
