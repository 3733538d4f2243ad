#include "core/settings/ready.hpp"

#include <gtest/gtest.h>

namespace onelane::settings {
namespace {

TEST(ReadyTest, DigitsAreAPort) {
  EXPECT_EQ(parse_ready("1"), (Ready{1, ""}));
  EXPECT_EQ(parse_ready("3000"), (Ready{3000, ""}));
  EXPECT_EQ(parse_ready("65535"), (Ready{65535, ""}));
}

TEST(ReadyTest, AnythingElseIsAText) {
  for (const char* text : {"ready in", "3000!", "-1", "port=3000", "\xc3\xa9"}) {
    EXPECT_EQ(parse_ready(text), (Ready{0, text}));
  }
}

TEST(ReadyTest, AnythingInvalidIsRefused) {
  for (const std::string& text :
       {std::string{}, std::string{"0"}, std::string{"65536"}, std::string{"99999999999999999999"},
        std::string{"a\tb"}, std::string{"a\x1b"}, std::string(256, 'x')}) {
    EXPECT_FALSE(parse_ready(text)) << text;
  }
}

TEST(ReadyRuleTest, NamesACallAndWhenItIsReady) {
  EXPECT_EQ(parse_ready_rule("make:serve=3000"), (ReadyRule{"make", "serve", {3000, ""}}));
  EXPECT_EQ(parse_ready_rule("npm:dev:web=ready in"),
            (ReadyRule{"npm", "dev:web", {0, "ready in"}}));
  EXPECT_EQ(parse_ready_rule("vite=5173"), (ReadyRule{"vite", "", {5173, ""}}));
  EXPECT_EQ(parse_ready_rule(" make:serve = a=b "), (ReadyRule{"make", "serve", {0, "a=b"}}));
}

TEST(ReadyRuleTest, AnIncompleteRuleIsRefused) {
  for (const char* text : {"", "make", "make:serve", "=3000", ":serve=3000", "make:=3000",
                           "make=", "make=0", "a/b=1", "a b=1"}) {
    EXPECT_FALSE(parse_ready_rule(text)) << text;
  }
}

}  // namespace
}  // namespace onelane::settings
