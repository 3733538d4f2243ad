#include "multicall/report/words.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

#include "core/guard/limits.hpp"
#include "core/journal/plausible.hpp"
#include "core/sys/text.hpp"
#include "multicall/term/words.hpp"
#include "multicall/view/overview.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestText = 200;

/// Every user who may write the journal may write a card, so its fields are not trusted.
std::string text_in(const json& card, const char* name) {
  const auto at = card.find(name);
  return at != card.end() && at->is_string()
             ? clean_text(at->get_ref<const std::string&>(), kLongestText)
             : std::string{};
}

std::uint64_t number_in(const json& card, const char* name) {
  const auto at = card.find(name);
  return at != card.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
}

std::string amount(guard::Unit unit, std::uint64_t number) {
  switch (unit) {
    case guard::Unit::Bytes:
      return fmt::format("{} MB", (number + (1U << 19U)) >> 20U);
    case guard::Unit::Milliseconds:
      return time_words(static_cast<std::int64_t>(number));
    case guard::Unit::Count:
      break;
  }
  return std::to_string(number);
}

std::string sentence(journal::Reason reason, const json& card) {
  const guard::LimitRow* row = guard::row_of(reason);
  const guard::Unit unit = row == nullptr ? guard::Unit::Bytes : row->unit;
  const guard::Word words[] = {{"used", amount(unit, number_in(card, "used"))},
                               {"limit", amount(unit, number_in(card, "limit"))}};
  return guard::filled(row == nullptr ? "used {used} of {limit}" : row->brief, words);
}

}  // namespace

std::string time_text(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm local{};
  std::array<char, 32> text{};
  if (wall_ms <= 0 || ::localtime_r(&seconds, &local) == nullptr ||
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &local) == 0) {
    return "-";
  }
  return text.data();
}

std::string time_words(std::int64_t ms) {
  return ms <= 0 ? "-"
                 : duration_words(std::chrono::milliseconds{std::min(ms, journal::kLongestMs)});
}

std::string memory_words(std::uint64_t kb) {
  return kb == 0 ? "-" : size_words(std::min(kb, std::uint64_t{journal::kMostKb}) << 10U);
}

std::string clean_text(std::string_view text, std::size_t limit) {
  return sys::printable(text, limit);
}

Advice advice_of(const journal::Record& record) {
  const json card = json::parse(record.card, nullptr, false);
  if (!card.is_object()) {
    return {};
  }
  Advice advice{sentence(record.reason, card), text_in(card, "limit_place"),
                text_in(card, "change")};
  if (const std::string name = text_in(card, "limit_name"); !name.empty()) {
    advice.sentence += " (" + name + ")";
  }
  const std::uint64_t after = number_in(card, "after_ms");
  // A limit of running time is the time itself.
  const bool says_time = record.reason == journal::Reason::Timeout ||
                         record.reason == journal::Reason::PipelineTimeout;
  advice.sentence += after == 0 || says_time
                         ? std::string{}
                         : ", after " + time_words(static_cast<std::int64_t>(after));
  return advice;
}

}  // namespace onelane::multicall
