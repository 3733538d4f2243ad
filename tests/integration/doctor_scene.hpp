#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/integration/workplace.hpp"

namespace onelane::test {

/// A project that has adopted onelane and in which the doctor finds nothing wrong.
class Practice : public Workplace {
 public:
  explicit Practice(Kind kind = Kind::Repository) : Workplace{kind} {
    for (const char* name : {"git", "make"}) {
      sandbox().use_real(name);
    }
    must({"init", "--no-direnv"});
    sandbox().set_environment(
        "PATH", path(".onelane/bin") + ":" + sandbox().tools() + ":/usr/local/bin:/usr/bin:/bin");
    for (const char* name : {".bash_profile", ".zprofile"}) {
      write_home(name, "export PATH=" + path(".onelane/bin") + ":\"$PATH\"\n");
    }
  }

  void write_home(const std::string& name, const std::string& text) {
    std::ofstream{sandbox().root() + "/home/" + name} << text;
  }

  [[nodiscard]] std::string state() const { return path(".git/onelane"); }

  /// What the doctor says; checks that its exit code agrees.
  nlohmann::json examine(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"doctor", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const Ended ended = onelane(words);
    nlohmann::json out = nlohmann::json::parse(ended.out, nullptr, false);
    EXPECT_TRUE(out.is_object()) << ended.out << ended.err;
    EXPECT_EQ(out.value("schema", 0), 1);
    EXPECT_TRUE(ended.exited_with(out.value("wrong", 0) == 0 ? 0 : 1)) << ended.out << ended.err;
    return out;
  }

  /// The findings of one check that have `level`.
  std::vector<nlohmann::json> findings(const nlohmann::json& said, const std::string& check,
                                       const std::string& level) {
    std::vector<nlohmann::json> out;
    for (const nlohmann::json& finding : said["findings"]) {
      if (finding["check"] == check && finding["level"] == level) {
        EXPECT_NE(finding["what"], "");
        EXPECT_EQ(finding["todo"].is_null(), level == "ok") << finding;
        out.push_back(finding);
      }
    }
    return out;
  }
  std::vector<nlohmann::json> wrong(const std::string& check) {
    return findings(examine(), check, "wrong");
  }
  std::vector<nlohmann::json> notes(const std::string& check) {
    return findings(examine(), check, "note");
  }
};

/// Exactly one finding, and it says so.
inline void expect_one(const std::vector<nlohmann::json>& findings, const std::string& text) {
  ASSERT_EQ(findings.size(), 1U) << nlohmann::json(findings).dump(1);
  EXPECT_THAT(findings[0].dump(), testing::HasSubstr(text));
}

}  // namespace onelane::test
