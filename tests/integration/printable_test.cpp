// No text that others chose, in names, lane or journal, reaches a terminal raw: the output of every
// verb is printable UTF-8.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <vector>

#include "core/lane/table.hpp"
#include "core/sys/byte_lock.hpp"
#include "core/sys/text.hpp"
#include "tests/integration/lane_scene.hpp"

namespace onelane::test {
namespace {

using Words = std::vector<std::string>;
using testing::HasSubstr;

/// A title, a cursor, C1, DEL, a byte that is not UTF-8, and one that turns the line round.
const std::string kEvil =
    "ev\x1b]0;owned\x07\x1b[2J\r\xc2\x9b"
    "31m\x7f\xff\u202eil";

/// The part of `text` that a terminal would obey or show as something else; empty if none. Colours
/// are not allowed for, since none are asked for.
std::string unprintable_in(std::string_view text) {
  std::string found;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (sys::printable(line, std::string_view::npos) != line) {
      found += sys::printable(line, 300) + "\n";
    }
    at = end + 1;
  }
  return found;
}

/// The same for JSON, which is for programs: it may contain text that only looks deceptive.
std::string control_in(std::string_view text) {
  std::string found;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sys::sequence_length(text.substr(at));
    const std::string_view sequence = text.substr(at, std::max<std::size_t>(length, 1));
    const auto first = static_cast<unsigned char>(sequence[0]);
    const bool is_c1 = first == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0;
    if (length == 0 || is_c1 || first == 0x7f || (first < 0x20 && first != '\n')) {
      found += "byte " + std::to_string(at) + ": " + sys::printable(text.substr(at), 60) + "\n";
    }
    at += sequence.size();
  }
  return found;
}

class PrintableTest : public testing::Test {
 protected:
  PrintableTest() : project_{make_project(sandbox_, kEvil)} {
    std::ofstream{project_ + "/Makefile"} << "all:\n\ttrue\n";
  }

  [[nodiscard]] std::string state() const { return project_ + "/.git/onelane"; }

  Ended onelane(Words words, const std::string& directory = {}) {
    words.insert(words.begin(), onelane_of(sandbox_));
    Start options;
    options.directory = directory.empty() ? project_ : directory;
    return sandbox_.run(words, std::move(options));
  }

  void expect_printable(const Words& words, const std::string& directory = {}) {
    const Ended ended = onelane(words, directory);
    std::string verb;
    for (const std::string& word : words) {
      verb += " " + word;
    }
    EXPECT_FALSE(ended.out.empty() && ended.err.empty() && words[0] == "status");
    const bool is_json = std::ranges::find(words, "--json") != words.end();
    EXPECT_EQ(is_json ? control_in(ended.out) : unprintable_in(ended.out), "")
        << "onelane" << sys::printable(verb);
    EXPECT_EQ(unprintable_in(ended.err), "")
        << "onelane" << sys::printable(verb) << ", standard error";
  }

  /// A journal in which every text is hostile, even one of the ids.
  void write_journal() const {
    const nlohmann::json process{{"pid", 1}, {"start", 1}, {"command", kEvil}};
    std::ofstream journal{state() + "/runs.jsonl"};
    for (const std::string& id : {std::string{"abcdefghijk"}, kEvil}) {
      for (const char* reason : {"exited", "memory", "crashed", "stopped"}) {
        const nlohmann::ordered_json line{
            {"schema", 1},
            {"id", id},
            {"project", kEvil},
            {"lane", kEvil},
            {"tool", kEvil},
            {"argv", {kEvil, kEvil}},
            {"cwd", kEvil},
            {"branch", kEvil},
            {"label", kEvil},
            {"class", kEvil},
            {"user", kEvil},
            {"tty", kEvil},
            {"agent", kEvil},
            {"reason", reason},
            {"code", 1},
            {"queue_start", kEvil},
            {"jobs", {kEvil}},
            {"joined", kEvil},
            {"kept", {process}},
            {"survivors", {process}},
            {"started_wall_ms", 1'795'000'000'000},
            {"ended_wall_ms", 1'795'000'001'000},
            {"card", {{"limit", kEvil}, {"set_at", kEvil}, {"change", kEvil}}}};
        journal << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::ignore) << "\n";
      }
    }
  }

  /// A lane in which every text is hostile. The test holds its locks.
  void write_lane() {
    table_.emplace(state(), 0600);
    const sys::ProcessId self = sys::self_id();
    lane::Header header;
    header.next_sequence = 3;
    header.high = 2;
    header.held = 1;
    header.left = 1;
    header.file = table_->id();
    lane::set_text(header.held_reason, kEvil);
    table_->write(header);
    for (std::size_t slot = 0; slot < 2; ++slot) {
      lane::Entry entry;
      entry.state = slot == 0 ? lane::State::Running : lane::State::Waiting;
      entry.sequence = slot + 1;
      entry.pid = self.pid;
      entry.start = self.start;
      entry.pid_namespace = sys::pid_namespace();
      entry.boot = static_cast<std::uint32_t>(sys::boot_id());
      lane::set_text(entry.run_id, kEvil);
      lane::Detail detail;
      detail.sequence = entry.sequence;
      detail.may_prompt = 1;
      detail.ancestor_count = 1;
      lane::set_text(detail.tool, kEvil);
      lane::set_text(detail.command, kEvil);
      lane::set_text(detail.directory, kEvil);
      lane::set_text(detail.terminal, kEvil);
      lane::set_text(detail.agent, kEvil);
      lane::set_text(detail.until, kEvil);
      lane::set_text(detail.ancestor_lanes, kEvil);
      table_->write(slot, detail);
      table_->write(slot, entry);
      EXPECT_TRUE(sys::try_lock_byte(table_->fd(), lane::slot_byte(slot), sys::LockKind::Write));
    }
    EXPECT_TRUE(sys::try_lock_byte(table_->fd(), lane::kLaneByte, sys::LockKind::Write));
    lane::Kept kept{.pid = self.pid, .start = self.start};
    kept.boot = static_cast<std::uint32_t>(sys::boot_id());
    lane::set_text(kept.run_id, kEvil);
    lane::set_text(kept.name, kEvil);
    table_->write_kept({kept});
    lane::Left left;
    left.sequence = 2;
    left.boot = kept.boot;
    left.until_boottime = std::int64_t{1} << 62;
    lane::set_text(left.run_id, kEvil);
    lane::set_text(left.command, kEvil);
    table_->write(0, left);
  }

  Sandbox sandbox_{Mode::Shim};
  const std::string project_;
  std::optional<lane::Table> table_;
};

const std::vector<Words> kReaders{
    {"status"},
    {"status", "--json"},
    {"runs"},
    {"runs", "--json"},
    {"runs", "view", "abcdefghijk"},
    {"runs", "view", "abcdefghijk", "--log"},
    {"report"},
    {"report", "--json"},
    {"report", "--github"},
    {"stats"},
    {"stats", "--json"},
    {"logs"},
    {"orphans"},
    {"orphans", "--json"},
    {"doctor"},
    {"doctor", "--json"},
    {"doctor", "--audit"},
    {"settings"},
    {"settings", "--json"},
    {"queue"},
    {"queue", "--json"},
    {"explain", "--", "make", kEvil},
    {"explain", "--json", "--", "make", kEvil},
    {"ci", "verify"},
    {"ci", "finish"},
    {"ci", "finish", "--json"},
    {"wait", "abcdefghijk", "--json"},
    {"stop"},
    {"stop", kEvil},
    {"steal", kEvil},
    {"cancel", kEvil},
    {"bump", kEvil},
    {"runs", "view", kEvil},
    {"logs", kEvil},
    {kEvil},
    {"status", "--" + kEvil},
    {"hold", kEvil},
    {"release"},
};

TEST_F(PrintableTest, WhateverTheJournalSays) {
  write_journal();
  for (const Words& words : kReaders) {
    expect_printable(words);
  }
  EXPECT_THAT(onelane({"runs", "--json"}).out, HasSubstr("abcdefghijk"));
}

TEST_F(PrintableTest, WhateverTheLaneSays) {
  write_lane();
  for (const Words& words : kReaders) {
    expect_printable(words);
  }
  expect_printable({"stop", "--yes"});
  EXPECT_THAT(onelane({"status"}).out, HasSubstr("holder:"));
}

TEST_F(PrintableTest, WhateverTheDirectoryIsCalled) {
  const std::string fresh = sandbox_.root() + "/fresh" + kEvil;
  ASSERT_TRUE(sandbox_.run({"/usr/bin/git", "init", "--quiet", fresh}).exited_with(0));
  for (const Words& words : std::vector<Words>{{"init", "--dry-run"},
                                               {"init"},
                                               {"init", "--agent", "claude", "--dry-run"},
                                               {"init", "--pre-commit", "--dry-run"},
                                               {"trust"},
                                               {"queue", "add", "--", "make", kEvil},
                                               {"queue"},
                                               {"queue", "remove", "1"},
                                               {"run", "--detach", "--", "true"},
                                               {"uninit"}}) {
    expect_printable(words, fresh);
  }
}

TEST_F(PrintableTest, WhateverTheSettingsSay) {
  std::ofstream{project_ + "/onelane.toml"} << "root = true\n"
                                            << kEvil << " = 1\nlanes = \""
                                            << "x" << kEvil << "\"\n";
  std::ofstream{project_ + "/.env.development"} << "ONELANE_LOG_DIR=" << kEvil
                                                << "\nONELANE_TIMEOUT=" << kEvil << "\n";
  for (const Words& words : kReaders) {
    expect_printable(words);
  }
  expect_printable({"trust"});
}

}  // namespace
}  // namespace onelane::test
