#include "core/lane/nesting.hpp"

#include <gtest/gtest.h>

namespace onelane::lane {
namespace {

/// What can be seen of the ancestors of a call, and whether that proves that a supervisor of
/// start time 100 is none of the others.
struct Sight {
  const char* what;
  std::vector<std::uint64_t> starts;  ///< Parent first.
  bool complete;
  bool is_proof;
};

TEST(RulesOutTest, OnlyASupervisorYoungerThanAVisibleAncestorIsNoneOfTheHidden) {
  const std::vector<Sight> sights{
      {"all are there, all younger", {300, 200}, true, true},
      {"all are there, and none at all", {}, true, true},
      {"none can be seen", {}, false, false},
      {"a shell from after the holder's start", {200}, false, false},
      {"a shell from before", {50}, false, true},
      {"a shell of the same tick", {100}, false, false},
      {"one tick older", {99}, false, true},
      {"a young shell in an old session", {300, 40}, false, true},
      {"an older one that has a younger parent: never by birth or adoption",
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
