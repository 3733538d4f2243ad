#include <string>
#include <vector>

#include "tests/unit/shims/policy_rows.hpp"

namespace onelane::test {
namespace {

using shims::Class;

TEST(MakePolicyTest, AsksAndDryRunsPass) {
  expect_all("make", Class::Pass, {},
             {"-v",
              "--version",
              "-h",
              "--help",
              "-n",
              "-n all",
              "all -n",
              "--just-print",
              "--dry-run",
              "--recon",
              "-q",
              "--question",
              "-npq",
              "-kn",
              "-nBk",
              "-Bkq",
              "--just",
              "--dry",
              "--rec",
              "--quest",
              "--vers",
              "-C x -n",
              "-j4 -n",
              "-j 4 -n",
              "-j n -n",
              "-npq __BASH_MAKE_COMPLETION__=1 .DEFAULT",
              "__BASH_MAKE_COMPLETION__=1 -C x",
              "-f x -n",
              "-kvx",
              "-rRn test"});
}

TEST(MakePolicyTest, EverythingElseTakesTheLane) {
  expect_all("make", Class::Lane, {}, {"",          "all",
                                       "test",      "-j4",
                                       "-j4n",      "-j",
                                       "-j 4 all",  "-t",
                                       "-p",        "--touch",
                                       "-C n",      "-C -n",
                                       "-f -n",     "-o -n x",
                                       "-W -n x",   "-E -n",
                                       "--eval -n", "--eval=-n",
                                       "--file -n", "--directory -q",
                                       "-I -q",     "-fn",
                                       "-Cn",       "-On",
                                       "-ln",       "-- -n",
                                       "N=-n",      "serve",
                                       "run",       "--no-print-directory",
                                       "--debug=n", "--output-sync=n",
                                       "--jobs 4",  "--load-average 4.5 x",
                                       "-k",        "--trace",
                                       "--silent",  "CFLAGS=-n all"});
}

TEST(MakePolicyTest, MakeflagsCount) {
  for (const std::string flags : {"n", "-n", "kn", "nq", "-k -n", "q -j4", "--just-print"}) {
    MapFacts facts;
    facts.variables["MAKEFLAGS"] = flags;
    EXPECT_EQ(decide("make", "all", facts).cls, Class::Pass) << "MAKEFLAGS=" << flags;
    facts.variables = {{"GNUMAKEFLAGS", flags}};
    EXPECT_EQ(decide("make", "all", facts).cls, Class::Pass) << "GNUMAKEFLAGS=" << flags;
  }
  for (const std::string flags : {"", " ", "k", "-j4", " -j4 --jobserver-auth=3,4", "V=n", "-- A=n",
                                  "k -- -n", "w", "rR --no-print-directory", "-Oline"}) {
    MapFacts facts;
    facts.variables["MAKEFLAGS"] = flags;
    EXPECT_EQ(decide("make", "all", facts).cls, Class::Lane) << "MAKEFLAGS=" << flags;
  }
}

TEST(MakePolicyTest, BuildsTakeTheLaneBelowAServiceToo) {
  for (const std::string line : {"", "all", "build", "check", "test", "clean test", "-j4", "V=1",
                                 "-C x test", "-f mk", "-j 4", "-- test"}) {
    EXPECT_FALSE(decide("make", line).passes_below_service) << line;
  }
  for (const std::string line :
       {"css", "serve", "-C test css", "V=1 css", "-j4 css", "-f all css"}) {
    EXPECT_TRUE(decide("make", line).passes_below_service) << line;
  }
}

TEST(MakePolicyTest, TargetFollowsEachDirectoryInTurn) {
  const Line line{"-C a all --directory=b -j4 --directory c -kCd --dir e VAR=-Cx"};
  EXPECT_EQ(shims::find_shim("make")->target(line.args()).directories,
            (std::vector<std::string>{"a", "b", "c", "d", "e"}));
}

}  // namespace
}  // namespace onelane::test
