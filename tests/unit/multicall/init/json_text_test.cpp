#include "multicall/init/json_text.hpp"

#include <gtest/gtest.h>

#include "multicall/init/change.hpp"

namespace onelane::multicall::setup {
namespace {

using Members = std::vector<std::pair<std::string, nlohmann::ordered_json>>;

std::string inserted(const std::string& text, const std::vector<std::string>& path,
                     const Members& members) {
  const auto insertion = insert_json(text, path, members);
  return insertion ? insertion->into(text) : "refused";
}

TEST(InsertJsonTest, FollowsTheFormThatIsThere) {
  const Members one{{"n", 1}};
  EXPECT_EQ(inserted("{}", {}, one), "{\n  \"n\": 1\n}");
  EXPECT_EQ(inserted("{\"a\": 2}", {}, one), "{\"n\": 1, \"a\": 2}");
  EXPECT_EQ(inserted("{\n    \"a\": 2\n}\n", {}, one), "{\n    \"n\": 1,\n    \"a\": 2\n}\n");
  EXPECT_EQ(inserted("{\n\t\"a\": {\n\t}\n}", {"a"}, one), "{\n\t\"a\": {\n\t\t\"n\": 1\n\t}\n}");
  EXPECT_EQ(inserted("{\n  \"a\": [\n    0\n  ]\n}", {"a"}, {{"", {{"n", 1}}}}),
            "{\n  \"a\": [\n    {\n      \"n\": 1\n    },\n    0\n  ]\n}");
}

TEST(InsertJsonTest, FindsItsPlaceBehindCommentsTextsAndNests) {
  const std::string text =
      "// {\"b\": {}}\n{ /* \"b\" */ \"a\\\"}{\": [\"]\", {\"b\": {}}, -1.5e3, null], \"b\": "
      "{\"c\": true} }";
  const std::string after = inserted(text, {"b"}, {{"n", 1}});
  EXPECT_NE(after.find("\"b\": {\"n\": 1, \"c\": true}"), std::string::npos) << after;
}

TEST(InsertJsonTest, RefusesWhatItCannotProve) {
  const Members one{{"n", 1}};
  EXPECT_EQ(inserted("", {}, one), "refused");
  EXPECT_EQ(inserted("[]", {}, one), "refused");
  EXPECT_EQ(inserted("{\"n\": 0}", {}, one), "refused");
  EXPECT_EQ(inserted("{\"a\": 1,}", {}, one), "refused");
  EXPECT_EQ(inserted("{\"a\": {}}", {"b"}, one), "refused");
  EXPECT_EQ(inserted("{\"a\": {}}", {"a"}, {{"", 1}}), "refused");
  // The same name twice, and one that is written in another way.
  EXPECT_EQ(inserted("{\"a\": {}, \"a\": {\"x\": 1}}", {"a"}, one), "refused");
  EXPECT_EQ(inserted("{\"\\u0061\": {}}", {"a"}, one), "refused");
}

TEST(DiffTest, ShowsOnePlaceWithWhatIsAroundIt) {
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
