#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "shims/clamp.hpp"
#include "tests/unit/shims/policy_rows.hpp"

namespace onelane::test {

/// One call on a machine of eight processors, bounded to four.
struct Scene {
  shims::Clamp mode = shims::Clamp::Soft;
  unsigned workers = 4;
  unsigned pytest_workers = 0;
  unsigned processors = 8;
  bool watches = false;
  MapFacts facts{};
  MapFacts::Table files{};

  [[nodiscard]] shims::Clamped call(std::string_view tool, std::string_view text) const {
    const Line line{text};
    shims::ClampRequest request;
    request.mode = mode;
    request.workers = workers;
    request.pytest_workers = pytest_workers;
    request.processors = processors;
    request.watches = watches;
    request.tool = tool;
    request.args = line.args();
    request.facts = &facts;
    request.file = [&](std::string_view name) -> std::optional<std::string> {
      const auto found = files.find(name);
      return found == files.end() ? std::nullopt : std::optional{found->second};
    };
    return shims::clamp(request);
  }

  /// Variables of a call, each once.
  [[nodiscard]] std::map<std::string, std::string> variables(std::string_view tool,
                                                             std::string_view text) const {
    const shims::Clamped clamped = call(tool, text);
    std::map<std::string, std::string> variables{clamped.environment.begin(),
                                                 clamped.environment.end()};
    EXPECT_EQ(variables.size(), clamped.environment.size()) << tool << ' ' << text;
    return variables;
  }

  /// VITEST_MAX_WORKERS as exported; "" when it is not. The three names go together.
  [[nodiscard]] std::string vitest(std::string_view tool, std::string_view text) const {
    auto all = variables(tool, text);
    EXPECT_EQ(all["VITEST_MAX_WORKERS"], all["VITEST_MAX_FORKS"]) << tool << ' ' << text;
    EXPECT_EQ(all["VITEST_MAX_WORKERS"], all["VITEST_MAX_THREADS"]) << tool << ' ' << text;
    return all["VITEST_MAX_WORKERS"];
  }
};

/// The arguments after a hard clamp as one line; the line itself when none changed.
inline std::string lowered(std::string_view tool, const std::string& text, const Scene& scene) {
  const shims::Clamped clamped = scene.call(tool, text);
  EXPECT_EQ(clamped.args.has_value(), !clamped.changes.empty()) << tool << ' ' << text;
  if (!clamped.args) {
    return text;
  }
  std::string line;
  for (const std::string& word : *clamped.args) {
    line += (line.empty() ? "" : " ") + word;
  }
  EXPECT_EQ(clamped.args->size(), Line{text}.args().size()) << "no word more or less: " << line;
  return line;
}

}  // namespace onelane::test
