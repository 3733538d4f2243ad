#include "tests/integration/pty_scenario.hpp"

#include <sstream>

namespace onelane::test {
namespace {

const char* name_of(Shape shape) {
  constexpr const char* kNames[] = {"Foreground", "Background", "Pipeline",
                                    "Script",     "Nested",     "Leader"};
  return kNames[static_cast<int>(shape)];
}

const char* name_of(Stimulus stimulus) {
  constexpr const char* kNames[] = {"Interrupt",
                                    "Quit",
                                    "SuspendThenForeground",
                                    "SuspendThenBackground",
                                    "HangUp",
                                    "KillTop",
                                    "KillGroup",
                                    "SigkillTop",
                                    "SigkillGroup"};
  return kNames[static_cast<int>(stimulus)];
}

const char* name_of(Manner manner) {
  constexpr const char* kNames[] = {"", "Early", "Dying"};
  return kNames[static_cast<int>(manner)];
}

/// Longer than the 50 ms after which a run counts as settled.
constexpr const char* kSettled = "sleep 120 ";
constexpr const char* kCatchAll = "catch HUP catch INT catch QUIT catch TERM catch CONT ";

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from)) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

std::string typed_line(const Scenario& scenario, const std::string& gate,
                       const std::string& reader_gate) {
  const std::string catches = scenario.manner == Manner::Dies ? "" : kCatchAll;
  const std::string settles = scenario.manner == Manner::CatchesEarly ? "" : kSettled;
  const std::string make =
      "make " + catches + settles + "trace ready hold-until " + gate + " trace done exit 7";
  switch (scenario.shape) {
    case Shape::Background:
      return make + " &";
    case Shape::Pipeline:
      return make + " | reader " + catches + "trace reader read-tty hold-until " + reader_gate;
    case Shape::Script:
      return "sh -c '" + make + "; echo after $?.'";
    case Shape::Nested:
      return "make " + catches + "trace outer call " + make + " end exit 1";
    case Shape::Foreground:
    case Shape::Leader:
      return make;
  }
  return {};
}

std::string name_of(const Scenario& scenario) {
  const bool has_shell = scenario.shape != Shape::Leader;
  return std::string{has_shell ? name_of(scenario.shell) : ""} + name_of(scenario.shape) +
         name_of(scenario.stimulus) + name_of(scenario.manner);
}

std::optional<std::string> why_skipped(const Scenario& scenario) {
  if (scenario.shape == Shape::Leader && scenario.stimulus == Stimulus::SuspendThenBackground) {
    return "a session leader without a shell has no user who could type bg";
  }
  if (scenario.shape == Shape::Nested && scenario.stimulus == Stimulus::KillTop &&
      scenario.manner == Manner::Dies) {
    return "the inner tool then outlives the outer one: a straggler, see settle_test";
  }
  return std::nullopt;
}

std::string Transcript::text() const {
  std::string text;
  for (const auto& [role, events] : roles) {
    text += role + ": " + events + "\n";
  }
  text += "terminal:";
  for (const std::string& owner : foreground) {
    text += " " + owner;
  }
  text += "\nstatus: " + status + "\nprinted: " + printed + "\n";
  for (const std::string& command : left) {
    text += "left: " + command + "\n";
  }
  if (may_repeat_hang_up) {
    replace_all(text, "sig HUP sig HUP", "sig HUP");
  }
  return text + (lane_is_free ? "lane free\n" : "lane taken\n");
}

int Transcript::count(const std::string& role, const std::string& signal) const {
  const auto events = roles.find(role);
  int count = 0;
  if (events != roles.end()) {
    std::istringstream words{events->second};
    for (std::string word, before; words >> word; before = word) {
      count += before == "sig" && word == signal ? 1 : 0;
    }
  }
  return count;
}

}  // namespace onelane::test
