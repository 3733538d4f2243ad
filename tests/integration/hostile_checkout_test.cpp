#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/integration/workplace.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kStrace = "/usr/bin/strace";

/// How an attacker may supply one of the two files.
enum class Form { Link, Fifo, Huge, Loosening };

/// A repository that was adopted before an attacker's commit was checked out.
class HostileCheckoutTest : public testing::TestWithParam<std::tuple<const char*, Form>> {
 protected:
  HostileCheckoutTest() {
    shop_.must({"init", "--ci"});
    shop_.sandbox().use_real("git");
    make_hostile(std::get<0>(GetParam()), std::get<1>(GetParam()));
  }

  void make_hostile(const std::string& name, Form form) {
    const std::string evil = name == "onelane.toml"
                                 ? "[tools.make]\npass = [\"*\"]\nreal = \"evil\"\n"
                                 : "ONELANE_TIMEOUT=1\nX=$(touch evil)\nONELANE_LOG_DIR=/tmp\n";
    switch (form) {
      case Form::Link:
        shop_.write("../elsewhere", evil);
        fs::create_symlink("../elsewhere", shop_.path(name));
        return;
      case Form::Fifo:
        ASSERT_EQ(::mkfifo(shop_.path(name).c_str(), 0666), 0);
        return;
      case Form::Huge:
        shop_.write(name, std::string(10'000'000, '\n') + evil);
        return;
      case Form::Loosening:
        shop_.write(name, evil);
        return;
    }
  }

  /// Runs `argv` under strace; returns every call that names one of the files or executes.
  std::string opens_of(const std::vector<std::string>& argv) {
    const std::string log = shop_.sandbox().fresh_path("strace");
    std::vector<std::string> traced{kStrace, "-f", "-qq", "-e", "trace=open,openat,openat2,execve",
                                    "-o",    log};
    traced.insert(traced.end(), argv.begin(), argv.end());
    const Ended ended = shop_.run(traced);
    EXPECT_TRUE(ended.exited_with(0)) << describe_status(ended.wait_status) << ended.err;
    return shop_.read("../" + log.substr(shop_.sandbox().root().size() + 1));
  }

  Workplace shop_;
};

TEST_P(HostileCheckoutTest, WhatPassesReadsNothingFromIt) {
  if (::access(kStrace, X_OK) != 0) {
    GTEST_SKIP() << "strace is not installed";
  }
  shop_.sandbox().use_real("make");
  for (const std::vector<std::string>& argv : {std::vector<std::string>{"git", "status"},
                                               {"git", "log", "--oneline", "--all"},
                                               {"make", "--version"}}) {
    const std::string log = opens_of(argv);
    EXPECT_THAT(log, HasSubstr("execve(\"/usr/bin/" + argv[0])) << "nothing was traced";
    EXPECT_THAT(log, AllOf(Not(HasSubstr("onelane.toml")), Not(HasSubstr(".env.development")),
                           Not(HasSubstr("elsewhere")), Not(HasSubstr("evil"))));
  }
}

TEST_P(HostileCheckoutTest, MakeStillTakesTheLaneAndSaysWhatWasLeftOut) {
  const auto& [name, form] = GetParam();
  Gate gate{shop_.sandbox()};
  Running make = shop_.start({"make", "trace", "ready", "hold-until", gate.path(), "out", "good"});
  shop_.sandbox().wait_for("ready");
  EXPECT_THAT(shop_.onelane({"status"}).out, HasSubstr("holder:  make trace ready"));
  gate.open();
  const Ended ended = make.wait();
  EXPECT_TRUE(ended.exited_with(0)) << describe_status(ended.wait_status);
  EXPECT_EQ(ended.out, "good\n");
  EXPECT_THAT(ended.err, AllOf(StartsWith("onelane: "), HasSubstr(name)));
  EXPECT_THAT(ended.err, HasSubstr(form == Form::Loosening ? "onelane trust" : "was not read"));
  EXPECT_FALSE(shop_.has("evil"));
}

INSTANTIATE_TEST_SUITE_P(EveryForm, HostileCheckoutTest,
                         testing::Combine(testing::Values("onelane.toml", ".env.development"),
                                          testing::Values(Form::Link, Form::Fifo, Form::Huge,
                                                          Form::Loosening)));

}  // namespace
}  // namespace onelane::test
