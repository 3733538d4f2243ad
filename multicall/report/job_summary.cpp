#include "multicall/report/job_summary.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "multicall/report/out_file.hpp"
#include "multicall/report/words.hpp"
#include "multicall/term/github_log.hpp"
#include "multicall/view/run_view.hpp"

namespace onelane::multicall {
namespace {

using journal::Record;

constexpr std::size_t kLongestInSummary = 200;
constexpr std::size_t kMostCardsInSummary = 100;

/// Escapes what Markdown, HTML and GitHub (mentions, issues, emoji, links) would interpret.
std::string plain(std::string_view text) {
  std::string out;
  for (const char byte : text) {
    const bool is_word = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                         (byte >= 'A' && byte <= 'Z') || (byte & 0x80) != 0 || byte == ' ';
    if (is_word) {
      out += byte;
    } else {
      out += fmt::format("&#{};", static_cast<unsigned>(static_cast<unsigned char>(byte)));
    }
  }
  return out;
}

std::string code(std::string_view text) {
  return "<code>" + plain(text) + "</code>";
}

std::string figures_row(const Figures& figures) {
  const std::string waited =
      figures.waited == 0 ? "" : fmt::format(" ({})", time_words(figures.waited_ms));
  return fmt::format(
      "| runs | waited | failed | ended by a limit | largest memory |\n"
      "|--:|--:|--:|--:|--:|\n"
      "| {} | {}{} | {} | {} | {} |\n\n",
      figures.runs, figures.waited, waited, figures.failed, figures.ended,
      memory_words(figures.largest_kb));
}

/// Why a run did not end by itself, as a list entry of a few lines.
std::string card_of(const Record& record) {
  const Advice advice = advice_of(record);
  std::string text = "- " + code(command_of(record, kLongestInSummary)) + ": " +
                     plain(phrase_of(record)) + ", " + time_text(start_of(record)) + "\n";
  if (!advice.sentence.empty()) {
    text += "  " + plain(advice.sentence) + "  \n";
  }
  if (!advice.change.empty()) {
    text += "  set in " + code(advice.place) + "; to allow more: " + code(advice.change) + "\n";
  }
  return text;
}

std::string took_of(const Record& record) {
  return is_end_unknown(record) ? "?" : time_words(end_of(record) - start_of(record));
}

std::string row_of(const Record& record) {
  return "| " + time_text(start_of(record)) + " | " + code(command_of(record, kLongestInSummary)) +
         " | " + time_words(record.waited_ms) + " | " + took_of(record) + " | " +
         memory_words(record.peak_tree_kb) + " | " + plain(phrase_of(record)) + " |\n";
}

bool is_annotated(const Record& record) {
  const Outcome outcome = outcome_of(record);
  return outcome == Outcome::Ended || outcome == Outcome::Crashed;
}

/// The newest runs that were ended, at most `most`, newest first.
std::vector<const Record*> ended_runs(const History& history, std::size_t most) {
  std::vector<const Record*> out;
  for (auto at = history.runs.rbegin(); at != history.runs.rend() && out.size() < most; ++at) {
    if (is_annotated(*at)) {
      out.push_back(&*at);
    }
  }
  return out;
}

std::string line_of(std::string name, const std::string& text) {
  name.resize(9, ' ');
  return name + text + "\n";
}

std::string others(const Figures& figures) {
  std::string text;
  const auto put = [&text](std::uint64_t number, const char* what) {
    text += number == 0 ? "" : fmt::format(", {}{}", number, what);
  };
  put(figures.stopped, " stopped");
  put(figures.crashed, " whose supervisor was killed");
  put(figures.not_started, " not started");
  return text;
}

std::string name_of(const History& history, const std::string& id) {
  const auto found = std::ranges::find(history.runs, id, &Record::id);
  return found == history.runs.end() ? "" : "  (" + command_of(*found, 60) + ", run " + id + ")";
}

}  // namespace

std::string markdown_of(const History& history, std::size_t limit) {
  constexpr std::string_view kCut =
      "\n*The rest is left out: the summary has reached its size limit.*\n";
  std::string text = "### onelane: " + plain(clean_text(history.name, 100)) + "\n\n";
  if (history.figures.runs == 0) {
    text += "No runs.\n";
    return text.size() <= limit ? text : std::string{};
  }
  text += figures_row(history.figures);
  std::vector<std::string> parts;
  const auto ended = ended_runs(history, kMostCardsInSummary);
  if (!ended.empty()) {
    parts.push_back("#### Ended\n\n");
    for (const Record* record : ended) {
      parts.push_back(card_of(*record));
    }
  }
  parts.push_back(
      "\n<details><summary>All runs, newest first</summary>\n\n"
      "| started | command | waited | took | memory | |\n|---|---|--:|--:|--:|---|\n");
  for (auto record = history.runs.rbegin(); record != history.runs.rend(); ++record) {
    parts.push_back(row_of(*record));
  }
  constexpr std::string_view kEnd = "\n</details>\n";
  const std::size_t room = limit - std::min(limit, kCut.size() + kEnd.size());
  for (const std::string& part : parts) {
    if (text.size() + part.size() > room) {
      const bool is_open = text.find("<details>") != std::string::npos;
      text.append(is_open ? kEnd : "").append(kCut);
      return text.size() <= limit ? text : std::string{};
    }
    text += part;
  }
  return text.append(kEnd);
}

std::string annotations_of(const History& history) {
  std::string text;
  const auto runs = ended_runs(history, kMostAnnotations);
  for (auto at = runs.rbegin(); at != runs.rend(); ++at) {
    const Record& record = **at;
    const std::string sentence = advice_of(record).sentence;
    const bool is_lost = outcome_of(record) == Outcome::Crashed;
    text += line_of({.kind = is_lost ? "warning" : "error",
                     .title = "onelane: " + phrase_of(record),
                     .text = command_of(record, kLongestInSummary) +
                             (sentence.empty() ? "" : ": ") + sentence});
  }
  return text;
}

std::string text_of(const History& history) {
  const Figures& figures = history.figures;
  std::string text = clean_text(history.name, 100) + ": ";
  if (figures.runs == 0) {
    return text + (history.since_wall_ms == 0 ? "no runs yet\n" : "no runs in that time\n");
  }
  text += time_text(figures.first_wall_ms) + " to " + time_text(figures.last_wall_ms) + "\n";
  text +=
      line_of("runs", fmt::format("{}, {} in all", figures.runs, time_words(figures.duration_ms)));
  text += line_of("waited", figures.waited == 0
                                ? "0"
                                : fmt::format("{}, {} in all, the longest {}", figures.waited,
                                              time_words(figures.waited_ms),
                                              time_words(figures.longest_wait_ms)));
  text += line_of("failed", std::to_string(figures.failed) + others(figures));
  text += line_of("ended", fmt::format("{} by a limit", figures.ended));
  text += line_of("memory", memory_words(figures.largest_kb) +
                                (figures.largest_kb == 0 ? "" : " at most") +
                                name_of(history, figures.largest_id));
  for (const Record* record : ended_runs(history, kMostAnnotations)) {
    const Advice advice = advice_of(*record);
    text += "\n" + time_text(start_of(*record)) + "  " + command_of(*record, 60) + ": " +
            phrase_of(*record) + "\n";
    text += advice.sentence.empty() ? "" : "  " + advice.sentence + "\n";
    text += advice.change.empty() ? "" : "  to allow more: " + advice.change + "\n";
  }
  return text;
}

bool append_step_summary(const History& history) {
  const char* summary = std::getenv("GITHUB_STEP_SUMMARY");
  if (summary == nullptr || *summary == '\0') {
    return false;
  }
  std::error_code none;
  const auto size = std::filesystem::file_size(summary, none);
  const std::size_t there = none ? 0 : std::min<std::size_t>(size, kLongestSummary);
  append_out(summary, markdown_of(history, kLongestSummary - there));
  return true;
}

}  // namespace onelane::multicall
