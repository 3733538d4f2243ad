#include <gtest/gtest.h>

#include "tests/integration/pty_scenario.hpp"

namespace onelane::test {
namespace {

using Kind = Shell::Kind;

/// How often the tool must see the signal of a stimulus.
struct Times {
  std::string signal;
  int tool;
};

std::optional<Times> expected_times(const Scenario& scenario) {
  const bool background = scenario.shape == Shape::Background;
  switch (scenario.stimulus) {
    case Stimulus::Interrupt:
      return Times{"INT", background ? 0 : 1};
    case Stimulus::Quit:
      return Times{"QUIT", background ? 0 : 1};
    case Stimulus::KillTop:
      return Times{"TERM", scenario.shape == Shape::Nested ? 0 : 1};
    case Stimulus::KillGroup:
      return Times{"TERM", 1};
    default:
      return std::nullopt;
  }
}

class PtySignalsTest : public testing::TestWithParam<Scenario> {};

TEST_P(PtySignalsTest, LooksTheSameWithAndWithoutOnelane) {
  if (const auto why = why_skipped(GetParam())) {
    GTEST_SKIP() << *why;
  }
  const Transcript direct = play(GetParam(), Mode::Direct);
  const auto times = expected_times(GetParam());
  if (times && GetParam().manner != Manner::Dies) {
    EXPECT_EQ(direct.count("tool", times->signal), times->tool) << direct.text();
  }
  const Transcript shim = play(GetParam(), Mode::Shim);
  EXPECT_EQ(shim.text(), direct.text());
  EXPECT_LE(shim.count("tool", "HUP"), shim.may_repeat_hang_up ? 2 : 1);
}

std::vector<Scenario> combine(const std::vector<Kind>& shells, const std::vector<Shape>& shapes,
                              const std::vector<Stimulus>& stimuli, Manner manner) {
  std::vector<Scenario> all;
  for (const Kind shell : shells) {
    for (const Shape shape : shapes) {
      for (const Stimulus stimulus : stimuli) {
        all.push_back({shell, shape, stimulus, manner});
      }
    }
  }
  return all;
}

const std::vector<Kind> kShells{Kind::Bash, Kind::Dash, Kind::Zsh};
const std::vector<Stimulus> kStimuli{Stimulus::Interrupt,
                                     Stimulus::Quit,
                                     Stimulus::SuspendThenForeground,
                                     Stimulus::SuspendThenBackground,
                                     Stimulus::HangUp,
                                     Stimulus::KillTop,
                                     Stimulus::KillGroup,
                                     Stimulus::SigkillTop,
                                     Stimulus::SigkillGroup};
const std::vector<Stimulus> kEnding{Stimulus::Interrupt, Stimulus::Quit, Stimulus::KillTop,
                                    Stimulus::KillGroup};

std::string name(const testing::TestParamInfo<Scenario>& info) {
  return name_of(info.param);
}

INSTANTIATE_TEST_SUITE_P(Jobs, PtySignalsTest,
                         testing::ValuesIn(combine(kShells,
                                                   {Shape::Foreground, Shape::Background,
                                                    Shape::Pipeline, Shape::Script, Shape::Nested},
                                                   kStimuli, Manner::Catches)),
                         name);

INSTANTIATE_TEST_SUITE_P(Leaders, PtySignalsTest,
                         testing::ValuesIn(combine({Kind::Bash}, {Shape::Leader}, kStimuli,
                                                   Manner::Catches)),
                         name);

INSTANTIATE_TEST_SUITE_P(
    Dying, PtySignalsTest,
    testing::ValuesIn(combine(kShells, {Shape::Foreground, Shape::Script, Shape::Nested}, kEnding,
                              Manner::Dies)),
    name);

INSTANTIATE_TEST_SUITE_P(Early, PtySignalsTest,
                         testing::ValuesIn(combine({Kind::Bash}, {Shape::Foreground, Shape::Leader},
                                                   {Stimulus::Interrupt, Stimulus::Quit,
                                                    Stimulus::KillTop, Stimulus::KillGroup,
                                                    Stimulus::HangUp},
                                                   Manner::CatchesEarly)),
                         name);

}  // namespace
}  // namespace onelane::test
