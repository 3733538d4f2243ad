#include "tests/unit/shims/policy_rows.hpp"

namespace onelane::test {
namespace {

using shims::Class;

TEST(PytestPolicyTest, AnswersAndListsPass) {
  expect_all("pytest", Class::Pass, at_terminal(),
             {"-V",
              "--version",
              "--version --version",
              "-VV",
              "-h",
              "--help",
              "--markers",
              "--fixtures",
              "--fixtures-per-test",
              "--funcargs",
              "--cache-show",
              "--cache-show=x*",
              "--collect-only",
              "--co",
              "--co -q",
              "-q --co tests",
              "--setup-plan",
              "-p no:x --co",
              "-vV",
              "tests --help",
              "--rootdir x --co"});
}

TEST(PytestPolicyTest, RunsTakeTheLane) {
  expect_all("pytest", Class::Lane, at_terminal(),
             {"",
              "tests",
              "-x",
              "-q",
              "-n auto",
              "-n4",
              "--lf",
              "--ff",
              "--sw",
              "--cache-clear",
              "-k --version",
              "-k '--version'",
              "-k 'not help'",
              "-m --help",
              "-k -s",
              "-ks",
              "-p no:cacheprovider",
              "-p --pdb",
              "-o -s",
              "-c --co",
              "-W -f",
              "-rs",
              "-rf",
              "-rfEs",
              "--tb short",
              "--tb=short",
              "--tb --pdb",
              "--maxfail 2",
              "--capture=sys",
              "--setup-only",
              "--trace-config",
              "-- --version",
              "-- -s",
              "-vx",
              "--co-like",
              "--rootdir --co",
              "--junitxml --pdb",
              "--cov src",
              "--no-header"});
}

TEST(PytestPolicyTest, DebuggersAreEditorsOnlyWhereSomeoneIsThere) {
  const std::vector<std::string> lines{"--pdb",      "--trace", "--pdbcls a:b", "-s",
                                       "-xs",        "-sv t",   "--capture=no", "--capture no",
                                       "-x --pdb t", "-vs"};
  expect_all("pytest", Class::Editor, at_terminal(), lines);
  expect_all("pytest", Class::Lane, {}, lines);
}

TEST(PytestPolicyTest, LoopingIsAService) {
  expect_all("pytest", Class::Service, {}, {"-f", "--looponfail", "-xf", "-fx tests", "-qf -n 2"});
}

TEST(PytestPolicyTest, AddedOptionsCount) {
  MapFacts facts = at_terminal();
  facts.variables["PYTEST_ADDOPTS"] = "-q  --pdb";
  expect_all("pytest", Class::Editor, facts, {"", "tests"});
  facts.variables["PYTEST_ADDOPTS"] = "-p no:x -n 4";
  expect_all("pytest", Class::Lane, facts, {"", "tests"});
}

TEST(PytestPolicyTest, TestsNeverPassBelowAService) {
  EXPECT_FALSE(decide("pytest", "tests").passes_below_service);
}

}  // namespace
}  // namespace onelane::test
