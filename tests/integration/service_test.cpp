#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/integration/lane_scene.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Words = std::vector<std::string>;

/// A project with an npm that runs `scripts/NAME` for `npm run NAME`, a real make, and a
/// tool `probe` without a shim.
class ServiceTest : public testing::Test {
 protected:
  ServiceTest() {
    sandbox_.use_real("make");
    sandbox_.use_real("npm");
    sandbox_.add_plain_tool("probe");
    const std::string npm = sandbox_.tools() + "/npm";
    std::ofstream{npm} << "#!/bin/sh\nexec sh \"scripts/$2\"\n";
    ::chmod(npm.c_str(), 0755);
    fs::create_directory(sandbox_.project() + "/scripts");
    std::ofstream{sandbox_.project() + "/Makefile"} << "test docs:\n\t@probe trace 'child in'\n";
    for (const char* name : {"build", "lint", "test"}) {
      write_script(name, "probe trace 'child in'");
    }
  }
  void write_script(const std::string& name, const std::string& text) {
    std::ofstream{sandbox_.project() + "/scripts/" + name} << text << "\n";
  }
  /// `npm run dev` with this script.
  Running start_service(const std::string& text) {
    write_script("dev", text);
    return sandbox_.start({"npm", "run", "dev"});
  }
  nlohmann::json services() { return status_of(sandbox_)["services"]; }
  void two_scripts_that_await_each_other() {
    write_script("css", "probe trace 'css in' await-trace 'js in' trace 'css out'");
    write_script("js", "probe trace 'js in' await-trace 'css in' trace 'js out'");
  }

  Sandbox sandbox_{Mode::Shim};
};

TEST_F(ServiceTest, TwoScriptsBelowItInTheBackgroundRunSideBySide) {
  two_scripts_that_await_each_other();
  const Ended ended = start_service("npm run css & npm run js & wait").wait();
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_EQ(ended.err, "");
  EXPECT_THAT(sandbox_.texts(), Contains("css out"));
  EXPECT_THAT(sandbox_.texts(), Contains("js out"));
}

TEST_F(ServiceTest, TwoScriptsThatItsChildStartsRunSideBySideWhileAnotherRunHoldsTheLane) {
  two_scripts_that_await_each_other();
  Holder holder{sandbox_};
  const Ended ended = start_service(
                          "exec probe spawn call npm run css end end spawn call npm run js end end "
                          "wait-all")
                          .wait();
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_EQ(ended.err, "");
  EXPECT_THAT(sandbox_.texts(), Contains("css out"));
  EXPECT_THAT(sandbox_.texts(), Contains("js out"));
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(ServiceTest, IsListedHoldsNoLaneAndEndsByItself) {
  Gate gate{sandbox_};
  Running service = start_service("exec probe trace dev hold-until " + gate.path() + " exit 3");
  sandbox_.wait_for("dev");
  const auto status = status_of(sandbox_);
  EXPECT_TRUE(status["holder"].is_null()) << status;
  EXPECT_THAT(status["queue"], IsEmpty());
  ASSERT_EQ(status["services"].size(), 1U);
  EXPECT_EQ(status["services"][0]["command"], "npm run dev");
  EXPECT_EQ(status["services"][0]["state"], "service");
  EXPECT_EQ(status["services"][0]["pid"], service.pid());
  const Ended beside = sandbox_.run({"make", "test"});
  EXPECT_TRUE(beside.exited_with(0)) << beside.err;
  EXPECT_EQ(beside.err, "");
  EXPECT_THAT(sandbox_.texts(), ElementsAre("dev", "child in"));
  gate.open();
  EXPECT_TRUE(service.wait().exited_with(3));
  EXPECT_THAT(services(), IsEmpty());
}

TEST_F(ServiceTest, EndsWhenTold) {
  Gate gate{sandbox_};
  Running service = start_service("exec probe trace dev hold-until " + gate.path());
  sandbox_.wait_for("dev");
  service.signal(SIGTERM);
  EXPECT_TRUE(service.wait().died_of(SIGTERM));
  EXPECT_THAT(services(), IsEmpty());
}

TEST_F(ServiceTest, TwoServicesRunSideBySide) {
  Gate gate{sandbox_};
  Running dev = start_service("exec probe trace dev hold-until " + gate.path());
  write_script("watch", "exec probe trace watch hold-until " + gate.path());
  Running watch = sandbox_.start({"npm", "run", "watch"});
  sandbox_.wait_for("dev");
  sandbox_.wait_for("watch");
  EXPECT_EQ(services().size(), 2U);
  gate.open();
  EXPECT_TRUE(dev.wait().exited_with(0));
  EXPECT_TRUE(watch.wait().exited_with(0));
}

/// Calls below a service that change or test the project.
class LaneBelowServiceTest : public ServiceTest, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Calls, LaneBelowServiceTest,
                         testing::Values("make test", "npm run build", "npm run test",
                                         "pytest trace 'child in'",
                                         "env -i PATH=\"$PATH\" TRACE=\"$TRACE\" make test"));

TEST_P(LaneBelowServiceTest, WaitsItsTurn) {
  Holder holder{sandbox_};
  Running service = start_service(GetParam());
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  EXPECT_EQ(services().size(), 1U);
  EXPECT_THAT(sandbox_.texts("child"), IsEmpty());
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(service.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "child in"));
}

/// Calls below a service that belong to what it does.
class PassBelowServiceTest : public ServiceTest, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Calls, PassBelowServiceTest,
                         testing::Values("npm run lint", "make docs",
                                         "env -i PATH=\"$PATH\" TRACE=\"$TRACE\" npm run lint"));

TEST_P(PassBelowServiceTest, RunsWhileAnotherRunHoldsTheLane) {
  Holder holder{sandbox_};
  const Ended ended = start_service(GetParam()).wait();
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "child in"));
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_P(PassBelowServiceTest, WaitsItsTurnBesideTheService) {
  Gate gate{sandbox_};
  Running service = start_service("exec probe trace dev hold-until " + gate.path());
  sandbox_.wait_for("dev");
  Holder holder{sandbox_};
  Running beside = sandbox_.start({"sh", "-c", GetParam()});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  EXPECT_THAT(sandbox_.texts("child"), IsEmpty());
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(beside.wait().exited_with(0));
  gate.open();
  EXPECT_TRUE(service.wait().exited_with(0));
}

/// A tool without a policy of its own, as `onelane init --tool cargo` adds it.
class AddedToolTest : public ServiceTest {
 protected:
  AddedToolTest() {
    sandbox_.add_plain_tool("cargo");
    sandbox_.set_environment("PATH",
                             sandbox_.project() + "/.onelane/bin:" + variable_of(sandbox_, "PATH"));
  }
  void add_cargo() {
    const Ended init =
        sandbox_.run({onelane_of(sandbox_), "init", "--no-direnv", "--tool", "cargo"});
    EXPECT_TRUE(init.exited_with(0)) << init.err;
  }
};

TEST_F(AddedToolTest, IsWrittenDownAndLinked) {
  add_cargo();
  EXPECT_THAT(contents_of(sandbox_.project() + "/onelane.toml"),
              HasSubstr("[tools.cargo]  # onelane init\nclass = \"lane\"\n"));
  EXPECT_EQ(fs::canonical(sandbox_.project() + "/.onelane/bin/cargo"), onelane_of(sandbox_));
}

TEST_F(AddedToolTest, TakesTheLane) {
  add_cargo();
  Holder holder{sandbox_};
  Running waiting = sandbox_.start({"cargo", "trace", "cargo in"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(waiting.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "cargo in"));
}

TEST_F(AddedToolTest, PassesBelowAService) {
  add_cargo();
  Holder holder{sandbox_};
  const Ended ended = start_service("cargo trace 'cargo in'").wait();
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "cargo in"));
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(AddedToolTest, ALinkThatNoProjectListsPasses) {
  fs::create_symlink(onelane_of(sandbox_), sandbox_.shims() + "/cargo");
  Holder holder{sandbox_};
  EXPECT_TRUE(sandbox_.run({"cargo", "trace", "cargo in"}).exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "cargo in"));
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(AddedToolTest, ItsListsInOnelaneTomlDecide) {
  add_cargo();
  std::ofstream{sandbox_.project() + "/onelane.toml"}
      << "[tools.cargo]\npass = [\"trace\"]\nservice = [\"hold-until\"]\n";
  Gate gate{sandbox_};
  Holder holder{sandbox_};
  EXPECT_TRUE(sandbox_.run({"cargo", "trace", "cargo in"}).exited_with(0));
  Running service = sandbox_.start({"cargo", "hold-until", gate.path()});
  EXPECT_TRUE(eventually([&] { return services().size() == 1; }));
  gate.open();
  EXPECT_TRUE(service.wait().exited_with(0));
  EXPECT_TRUE(holder.release().exited_with(0));
}

}  // namespace
}  // namespace onelane::test
