#include "multicall/init/json_text.hpp"

#include <gtest/gtest.h>

#include "multicall/init/change.hpp"

namespace onelane::multicall::setup {
namespace {

std::string inserted(const std::string& text, const std::vector<std::string>& path,
                     const Members& members) {
  const auto insertion = insert_json(text, path, members);
  return insertion ? insertion->into(text) : "refused";
}

TEST(InsertJsonTest, KeepsTheLayout) {
  const Members one{{"n", 1}};
  EXPECT_EQ(inserted("{}", {}, one), "{\n  \"n\": 1\n}");
  EXPECT_EQ(inserted("{}\n", {}, one), "{\n  \"n\": 1\n}\n");
  EXPECT_EQ(inserted("{\"a\":2}", {}, one), "{\"n\":1,\"a\":2}");
  EXPECT_EQ(inserted("{\n    \"a\": 2\n}\n", {}, one), "{\n    \"n\": 1,\n    \"a\": 2\n}\n");
  EXPECT_EQ(inserted("{\n\t\"a\": {}\n}", {"a"}, one), "{\n\t\"a\": {\n\t\t\"n\": 1\n\t}\n}");
  EXPECT_EQ(inserted("{\n  \"a\": [\n    0\n  ]\n}", {"a"}, {{"", {{"n", 1}}}}),
            "{\n  \"a\": [\n    {\n      \"n\": 1\n    },\n    0\n  ]\n}");
  EXPECT_EQ(inserted("{\n  \"na\": \"ä\"\n}", {}, {{"n", 1}, {"nb", 2}}),
            "{\n  \"n\": 1,\n  \"nb\": 2,\n  \"na\": \"ä\"\n}");
}

TEST(InsertJsonTest, RefusesALayoutThatItCannotKeep) {
  const Members one{{"n", 1}};
  for (const char* text :
       {"{\"a\": 2}", "{\n  \"a\":2\n}", "{\n  \"a\": 2\n}\n\n", "{\r\n  \"a\": 2\r\n}\r\n",
        "// x\n{\n  \"a\": 2\n}", "{\n  \"a\": 2 /* x */\n}", "{\n  \"a\": [1, 2]\n}",
        "{\n  \"a\": 1e3\n}", "{\n  \"a\": \"\\u00e4\"\n}", "{\n  \"a\": 1,\n  \"a\": 2\n}",
        "{\n  \"a\": {\n      \"b\": 2\n  }\n}", " {}", "\n"}) {
    EXPECT_EQ(inserted(text, {}, one), "refused") << text;
  }
}

TEST(InsertJsonTest, RefusesATextWithoutAPlaceForIt) {
  const Members one{{"n", 1}};
  EXPECT_EQ(inserted("", {}, one), "refused");
  EXPECT_EQ(inserted("[]", {}, one), "refused");
  EXPECT_EQ(inserted("1", {}, one), "refused");
  EXPECT_EQ(inserted("{\"n\":0}", {}, one), "refused");
  EXPECT_EQ(inserted("{\"a\":1,}", {}, one), "refused");
  EXPECT_EQ(inserted("{\"a\":{}}", {"b"}, one), "refused");
  EXPECT_EQ(inserted("{\"a\":{}}", {"a"}, {{"", 1}}), "refused");
  EXPECT_EQ(inserted("{\"a\":{}}", {"a", "b"}, one), "refused");
}

TEST(DiffTest, ShowsOneChangeWithItsContext) {
  Change change{.kind = Change::Kind::Write, .file = "f"};
  change.before = "1\n2\n3\n4\n5\n6\n7\n8";
  change.insertion = {8, "x\ny\n"};
  EXPECT_EQ(diff_of(change), "--- a/f\n+++ b/f\n@@ -2,6 +2,8 @@\n 2\n 3\n 4\n+x\n+y\n 5\n 6\n 7\n");
  change.insertion = {15, "\nx\n"};
  EXPECT_EQ(
      diff_of(change),
      "--- a/f\n+++ b/f\n@@ -5,4 +5,5 @@\n 5\n 6\n 7\n-8\n\\ No newline at end of file\n+8\n+x\n");
  change.is_new = true;
  change.text = "a\nb\n";
  EXPECT_EQ(diff_of(change), "--- /dev/null\n+++ b/f\n@@ -0,0 +1,2 @@\n+a\n+b\n");
}

}  // namespace
}  // namespace onelane::multicall::setup
