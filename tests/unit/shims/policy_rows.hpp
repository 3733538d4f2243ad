#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "shims/shim.hpp"
#include "tests/support/map_facts.hpp"

namespace onelane::shims {

inline void PrintTo(Class cls, std::ostream* out) {
  switch (cls) {
    case Class::Pass:
      *out << "pass";
      return;
    case Class::Lane:
      *out << "lane";
      return;
    case Class::Editor:
      *out << "editor";
      return;
    case Class::Service:
      *out << "service";
      return;
  }
}

}  // namespace onelane::shims

namespace onelane::test {

/// A command line cut at spaces; `'…'` keeps spaces, `''` is an empty word.
class Line {
 public:
  explicit Line(std::string_view text) {
    bool in_word = false;
    bool quoted = false;
    for (const char c : text) {
      if (c == '\'') {
        quoted = !quoted;
      } else if (c != ' ' || quoted) {
        in_word ? words_.back().push_back(c) : words_.push_back(std::string(1, c));
        in_word = true;
        continue;
      }
      if (c == '\'' && quoted && !in_word) {
        words_.emplace_back();
      }
      in_word = c == '\'' ? quoted || in_word : false;
    }
    views_.assign(words_.begin(), words_.end());
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line() = default;

  [[nodiscard]] shims::Args args() const { return views_; }

 private:
  std::vector<std::string> words_;
  std::vector<std::string_view> views_;
};

/// What `tool` decides for a command line.
inline shims::Decision decide(std::string_view tool, std::string_view line,
                              const MapFacts& facts = {}) {
  const Line words{line};
  return shims::find_shim(tool)->classify(words.args(), facts);
}

/// Each of `lines` must be `cls`, and say why.
inline void expect_all(std::string_view tool, shims::Class cls, const MapFacts& facts,
                       const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    const shims::Decision decision = decide(tool, line, facts);
    EXPECT_EQ(decision.cls, cls) << tool << ' ' << line << "\n  reason: " << decision.reason;
    EXPECT_FALSE(decision.reason.empty()) << tool << ' ' << line;
  }
}

inline MapFacts at_terminal() {
  MapFacts facts;
  facts.terminal = true;
  return facts;
}

}  // namespace onelane::test
