#include "core/tool/marker.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "core/tool/find.hpp"
#include "tests/unit/core/tool/path_directories.hpp"

namespace onelane::tool {
namespace {

/// Calls that carry the ONELANE_AT of an earlier call.
using MarkerTest = FindTest;

/// Runs `body` in a child and returns its result.
std::string in_child(const std::function<std::string()>& body) {
  int pipe_ends[2];
  EXPECT_EQ(::pipe(pipe_ends), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const std::string text = body();
    const bool written = ::write(pipe_ends[1], text.data(), text.size()) >= 0;
    ::_exit(written ? 0 : 1);
  }
  ::close(pipe_ends[1]);
  std::string out;
  char chunk[512];
  for (ssize_t got = 0; (got = ::read(pipe_ends[0], chunk, sizeof chunk)) > 0;) {
    out.append(chunk, static_cast<std::size_t>(got));
  }
  ::close(pipe_ends[0]);
  ::waitpid(pid, nullptr, 0);
  return out;
}

std::string in_descendant(int levels, const std::function<std::string()>& body) {
  return levels == 0 ? body() : in_child([&] { return in_descendant(levels - 1, body); });
}

TEST_F(MarkerTest, AWrapperThatExecutesUsIsFollowedByTheNextFile) {
  const auto wrapper = script("a/make");
  const auto real = script("b/make");
  const auto path = path_of({"a", "b"});
  const auto first = find(path, {}, {"all"});
  EXPECT_EQ(first.path, wrapper);
  // The same process, as if the wrapper had executed us, with or without changed arguments.
  EXPECT_EQ(find(path, first.at, {"all"}).path, real);
  EXPECT_EQ(find(path, first.at, {"all", "--added"}).path, real);
}

TEST_F(MarkerTest, AWrapperThatSpawnsUsIsFollowedByTheNextFile) {
  script("a/make");
  const auto real = script("b/make");
  const auto path = path_of({"a", "b"});
  const auto first = find(path, {}, {"all"});
  for (int levels = 1; levels <= 4; ++levels) {
    EXPECT_EQ(in_descendant(levels, [&] { return find(path, first.at, {"all"}).path; }), real);
  }
}

TEST_F(MarkerTest, ConsecutiveWrappersAreEachRunOnce) {
  const std::vector<std::string> order{script("a/make"), script("b/make"), script("c/make")};
  const auto path = path_of({"a", "b", "c"});
  std::string at;
  for (const auto& expected : order) {
    const auto found = find(path, at, {"all"});
    EXPECT_EQ(found.path, expected);
    at = found.at;
  }
}

TEST_F(MarkerTest, OneFileOnPathTwiceIsOneCandidate) {
  const auto wrapper = script("a/make");
  fs::create_directories(dir_ / "again");
  fs::create_hard_link(wrapper, dir_ / "again/make");
  const auto real = script("b/make");
  const auto path = path_of({"a", "again", "b"});
  EXPECT_EQ(find(path, find(path).at).path, real);
}

TEST_F(MarkerTest, RecursionOfTheRealToolStaysWithIt) {
  const auto real = script("a/make");
  script("b/make");
  const auto path = path_of({"a", "b"});
  const auto top = find(path, {}, {"all"});
  EXPECT_EQ(in_descendant(2, [&] { return find(path, top.at, {"-C", "sub"}).path; }), real);
  EXPECT_EQ(in_descendant(2,
                          [&] {
                            fs::create_directories("sub");
                            fs::current_path("sub");
                            return find(path, top.at, {"all"}).path;
                          }),
            real);
}

TEST_F(MarkerTest, RecursionTenLevelsDeepStaysWithTheRealTool) {
  const auto real = script("a/make");
  script("b/make");
  const auto path = path_of({"a", "b"});
  const std::function<std::string(int, const std::string&)> descend = [&](int level,
                                                                          const std::string& at) {
    const auto found = find(path, at, {"level", std::to_string(level)});
    return level == 10 || found.path != real
               ? found.path
               : in_child([&] { return descend(level + 1, found.at); });
  };
  EXPECT_EQ(descend(0, {}), real);
}

TEST_F(MarkerTest, AFileAloneOnPathRunsAgain) {
  const auto real = script("a/make");
  const auto path = path_of({"a"});
  const auto top = find(path, {}, {"all"});
  EXPECT_EQ(in_child([&] { return find(path, top.at, {"all"}).path; }), real);
}

TEST_F(MarkerTest, ARestartOfTheToolStaysWithIt) {
  const auto wrapper = script("a/make");
  const auto real = script("b/make");
  script("c/make");
  const auto path = path_of({"a", "b", "c"});
  const auto second = find(path, find(path).at);
  ASSERT_EQ(second.path, real);
  EXPECT_EQ(find(path, second.at, {}, true).path, real);
  EXPECT_EQ(find(path, {}, {}, true).path, wrapper) << "without a marker, from the front";
}

TEST_F(MarkerTest, AWrapperUnderARestartIsLeftAfterFourTurns) {
  const auto wrapper = script("a/make");
  const auto real = script("b/make");
  const auto path = path_of({"a", "b"});
  auto found = find(path);
  int turns = 0;
  for (; found.path == wrapper && turns < 20; ++turns) {
    found = find(path, found.at, {}, true);
  }
  EXPECT_EQ(found.path, real);
  EXPECT_EQ(turns, 5);
}

TEST_F(MarkerTest, AFileThatOnlyCallsItselfIsALoopAfterSixteenTurns) {
  const auto wrapper = script("a/make");
  const auto path = path_of({"a"});
  auto found = find(path);
  int turns = 1;
  for (; found.outcome == Outcome::Found && turns < 100; ++turns) {
    found = find(path, found.at);
  }
  EXPECT_EQ(found.outcome, Outcome::Loop);
  EXPECT_EQ(found.path, wrapper);
  EXPECT_EQ(turns, 17);
}

TEST_F(MarkerTest, ASpawningWrapperThatKeepsAddingArgumentsReachesTheToolInTheEnd) {
  script("a/make");
  const auto real = script("b/make");
  const auto path = path_of({"a", "b"});
  const std::function<std::string(int, const std::string&)> descend = [&](int level,
                                                                          const std::string& at) {
    const auto found =
        find(path, at, std::vector<std::string>(static_cast<std::size_t>(level), "-x"));
    return level == 40 || found.path == real
               ? found.path + " " + std::to_string(level)
               : in_child([&] { return descend(level + 1, found.at); });
  };
  EXPECT_EQ(descend(0, {}), real + " 16");
}

TEST_F(MarkerTest, ASpawningWrapperAloneThatKeepsAddingArgumentsIsALoop) {
  script("a/make");
  const auto path = path_of({"a"});
  const std::function<std::string(int, const std::string&)> descend = [&](int level,
                                                                          const std::string& at) {
    const auto found =
        find(path, at, std::vector<std::string>(static_cast<std::size_t>(level), "-x"));
    return level == 100 || found.outcome == Outcome::Loop
               ? std::to_string(level)
               : in_child([&] { return descend(level + 1, found.at); });
  };
  EXPECT_EQ(descend(0, {}), "64");
}

TEST_F(MarkerTest, ASlowRowIsNotALoop) {
  const auto real = script("a/make");
  const auto path = path_of({"a"});
  auto marker = *parse_marker(find(path).at.c_str(), "make");
  marker.repeats = 15;
  marker.depth = 63;
  EXPECT_EQ(find(path, format_marker(marker, "make")).outcome, Outcome::Loop);
  marker.when -= 11;
  EXPECT_EQ(find(path, format_marker(marker, "make")).path, real);
}

TEST_F(MarkerTest, StaleMarkersAreIgnored) {
  const auto first = script("a/make");
  script("b/make");
  const auto path = path_of({"a", "b"});
  const auto top = find(path);
  auto marker = *parse_marker(top.at.c_str(), "make");

  EXPECT_EQ(in_descendant(5, [&] { return find(path, top.at).path; }), first) << "too far above";
  const auto sibling = in_child([&] { return find(path).at; });
  EXPECT_EQ(find(path, sibling).path, first) << "the process is gone";
  ++marker.from.start;
  EXPECT_EQ(find(path, format_marker(marker, "make")).path, first) << "the pid was reused";
  --marker.from.start;
  EXPECT_EQ(find(path, format_marker(marker, "pytest")).path, first) << "another tool";
  EXPECT_EQ(find(path, format_marker(marker, "make") + ":7").path, first) << "another format";
  EXPECT_EQ(find(path, "make").path, first);
  EXPECT_EQ(find(path, "make:zz:1:2:3:4:5:6:7").path, first);
}

TEST_F(MarkerTest, AMarkedFileThatHasLeftPathIsIgnored) {
  script("a/make");
  const auto second = script("b/make");
  script("c/make");
  const auto at = find(path_of({"a", "b"})).at;
  EXPECT_EQ(find(path_of({"b", "c"}), at).path, second);
}

TEST_F(MarkerTest, AMarkerReadsBackAsItWasWritten) {
  const Marker marker{{42, 0xffffffffffffffff}, {7, 0xfffffffffffffff0}, 9, 10, 11, 12};
  const auto back = parse_marker(format_marker(marker, "make").c_str(), "make");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->from, marker.from);
  EXPECT_EQ(back->file, marker.file);
  EXPECT_EQ(back->digest, marker.digest);
  EXPECT_EQ(back->when, marker.when);
  EXPECT_EQ(back->repeats, marker.repeats);
  EXPECT_EQ(back->depth, marker.depth);
}

TEST_F(MarkerTest, OnlyTheProcessItNamesIsALaneCall) {
  Marker marker{{42, 0xabc}, {7, 8}, 9, 10, 11, 12};
  for (const char* tool : {"make", "a:b"}) {
    marker.is_lane_call = false;
    EXPECT_FALSE(is_lane_call(format_marker(marker, tool), {42, 0xabc}));
    EXPECT_FALSE(parse_marker(format_marker(marker, tool).c_str(), tool)->is_lane_call);
    marker.is_lane_call = true;
    const std::string at = format_marker(marker, tool);
    ASSERT_TRUE(parse_marker(at.c_str(), tool));
    EXPECT_TRUE(parse_marker(at.c_str(), tool)->is_lane_call);
    EXPECT_EQ(parse_marker(at.c_str(), tool)->depth, 12U);
    EXPECT_TRUE(is_lane_call(at, {42, 0xabc}));
    EXPECT_FALSE(is_lane_call(at, {43, 0xabc})) << "its child";
    EXPECT_FALSE(is_lane_call(at, {42, 0xabd})) << "the pid was reused";
  }
  for (const char* text : {"", ":l", "make:l", "make:2a:abc:l", "make:zz:1:2:3:4:5:6:7:l"}) {
    EXPECT_FALSE(is_lane_call(text, {42, 0xabc})) << text;
  }
}

}  // namespace
}  // namespace onelane::tool
