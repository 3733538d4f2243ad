#include "multicall/report/page.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/settings/sha256.hpp"
#include "core/sys/base64.hpp"
#include "core/sys/hex.hpp"
#include "multicall/report/page_parts.hpp"
#include "multicall/report/words.hpp"
#include "multicall/term/print.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestOnPage = 1000;
constexpr std::size_t kLongestCardOnPage = 4096;
constexpr std::size_t kMostCardsOnPage = 200;

/// A page stays below five megabytes, whatever the runs are called and however many there are.
constexpr std::size_t kMostBytesOfData = 4'800'000;
constexpr std::size_t kMostBytesOfCards = 700'000;

json to_json(const Figures& figures) {
  return {{"runs", figures.runs},
          {"waited", figures.waited},
          {"waited_ms", figures.waited_ms},
          {"longest_wait_ms", figures.longest_wait_ms},
          {"failed", figures.failed},
          {"ended", figures.ended},
          {"stopped", figures.stopped},
          {"crashed", figures.crashed},
          {"not_started", figures.not_started},
          {"duration_ms", figures.duration_ms},
          {"largest_kb", figures.largest_kb},
          {"largest_id", figures.largest_id},
          {"first_wall_ms", figures.first_wall_ms},
          {"last_wall_ms", figures.last_wall_ms}};
}

/// A copy whose texts and names have no control characters, since anything may be in the journal;
/// `parse` has limited the depth.
json cleaned(const json& value) {
  if (value.is_string()) {
    return clean_text(value.get_ref<const std::string&>(), kLongestCardOnPage);
  }
  if (!value.is_structured()) {
    return value;
  }
  json out = value.is_array() ? json::array() : json::object();
  for (const auto& [name, part] : value.items()) {
    if (value.is_array()) {
      out.push_back(cleaned(part));
    } else {
      out[clean_text(name, kLongestCardOnPage)] = cleaned(part);
    }
  }
  return out;
}

/// Leaves out what is zero, false or empty: there may be ten thousand records.
json to_json(const journal::Record& record) {
  json out{{"id", record.id},
           {"tool", record.tool},
           {"command", command_of(record, kLongestOnPage)},
           {"outcome", word_of(outcome_of(record))},
           {"reason", journal::word_of(record.reason)},
           {"how", phrase_of(record)},
           {"started_wall_ms", start_of(record)},
           {"duration_ms", end_of(record) - start_of(record)}};
  const auto put = [&out](const char* name, const auto& value) {
    if (value != std::remove_cvref_t<decltype(value)>{}) {
      out[name] = value;
    }
  };
  put("waited_ms", std::max<std::int64_t>(0, record.waited_ms));
  put("branch", record.branch);
  put("user", record.user);
  put("agent", record.agent);
  put("directory", record.cwd == record.project ? std::string{} : record.cwd);
  put("peak_tree_kb", record.peak_tree_kb);
  put("peak_process_kb", record.peak_process_kb);
  put("peak_processes", record.peak_processes);
  put("cpu_ms", record.cpu_ms);
  put("warnings", record.warnings);
  put("ended_leftovers", record.ended_leftovers);
  put("kept", record.kept.size());
  return out;
}

/// JSON whose strings cannot end the script element or open a comment in it. These bytes occur only
/// in strings, where an escape means the same.
std::string harmless(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kEscapes{
      {{"<", "\\u003c"},
       {">", "\\u003e"},
       {"&", "\\u0026"},
       {"\u2028", "\\u2028"},
       {"\u2029", "\\u2029"}}};
  std::string out;
  out.reserve(text.size() + text.size() / 16);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("<>&\xe2"), text.size());
    out += text.substr(0, end);
    text.remove_prefix(end);
    const auto* escape = std::ranges::find_if(
        kEscapes, [&](const auto& pair) { return text.starts_with(pair.first); });
    if (escape != kEscapes.end()) {
      out += escape->second;
      text.remove_prefix(escape->first.size());
    } else if (!text.empty()) {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

/// Its size on a page.
std::size_t bytes_of(const json& value) {
  return harmless(value.dump(-1, ' ', false, json::error_handler_t::replace)).size() + 1;
}

/// Numbers only, since there may be very many: hour, tool, and the members of HourOfRuns.
json to_json(const HourSums& sums) {
  json rows = json::array();
  for (const auto& [key, sum] : sums.rows()) {
    rows.push_back({key.first, key.second, sum.runs, sum.not_passed, sum.ended, sum.waited_ms,
                    sum.duration_ms, sum.largest_kb});
  }
  return {{"length_ms", sums.length().count()}, {"tools", sums.tools()}, {"rows", std::move(rows)}};
}

/// The runs for a page, as many as fit into `room` bytes, the newest if not all do. The others are
/// added to `older`.
json runs_of(const History& history, std::size_t room, HourSums& older) {
  json runs = json::array();
  std::size_t cards = 0;
  std::size_t bytes_of_cards = 0;
  for (auto record = history.runs.rbegin(); record != history.runs.rend(); ++record) {
    json run = cleaned(to_json(*record));
    const json card = json::parse(record->card, nullptr, false);
    if (card.is_object() && ++cards <= kMostCardsOnPage) {
      json shown = cleaned(card);
      bytes_of_cards += bytes_of(shown);
      if (bytes_of_cards <= kMostBytesOfCards) {
        run["card"] = std::move(shown);
      }
      run["said"] = advice_of(*record).sentence;
    }
    const std::size_t bytes = bytes_of(run);
    room -= std::min(room, bytes);
    if (room == 0) {
      std::for_each(record, history.runs.rend(), [&](const auto& one) { older.add(one); });
      break;
    }
    runs.push_back(std::move(run));
  }
  std::ranges::reverse(runs);
  return runs;
}

json data_of(const History& history) {
  HourSums older = history.older;
  const std::size_t taken = std::min(bytes_of(to_json(older)), kMostBytesOfData / 2);
  json runs = runs_of(history, kMostBytesOfData - taken, older);
  return {{"schema", 1},
          {"version", ONELANE_VERSION},
          {"project", clean_text(history.project, kLongestCardOnPage)},
          {"name", clean_text(history.name, kLongestCardOnPage)},
          {"lane", clean_text(history.lane, kLongestCardOnPage)},
          {"now_wall_ms", history.now_wall_ms},
          {"since_wall_ms", history.since_wall_ms},
          {"figures", to_json(history.figures)},
          {"older", older.empty() ? json(nullptr) : to_json(older)},
          {"runs", std::move(runs)}};
}

/// `sha256-…`, as a content security policy names an allowed script (W3C CSP 3, RFC 4648).
std::string source_hash(std::string_view bytes) {
  return "sha256-" + sys::base64(sys::from_hex(settings::sha256(bytes)).value_or(""));
}

std::string fill(std::string_view page, const History& history) {
  const std::array<std::pair<std::string_view, std::string>, 5> parts{{
      {"{{style-hash}}", source_hash(page_style())},
      {"{{script-hash}}", source_hash(page_script())},
      {"{{style}}", std::string{page_style()}},
      {"{{data}}", harmless(data_of(history).dump(-1, ' ', false, json::error_handler_t::replace))},
      {"{{script}}", std::string{page_script()}},
  }};
  std::string out;
  // One pass in the order of the page: inserted text is not searched again.
  for (const auto& [name, text] : parts) {
    const std::size_t at = std::min(page.find(name), page.size());
    out.append(page.substr(0, at)).append(text);
    page.remove_prefix(std::min(at + name.size(), page.size()));
  }
  return out.append(page);
}

}  // namespace

std::string page_of(const History& history) {
  return fill(page_html(), history);
}

std::string json_of(const History& history) {
  return json_line(data_of(history)) + "\n";
}

}  // namespace onelane::multicall
