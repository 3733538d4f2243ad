#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/guard/card.hpp"

namespace onelane::guard {
namespace {

using nlohmann::json;

constexpr std::size_t kMostPoints = 4096;

std::uint64_t number(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

pid_t pid(const json& object, const char* name) {
  return static_cast<pid_t>(std::min<std::uint64_t>(number(object, name), 0x7fffffff));
}

std::string text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::optional<Cause> cause_of(const std::string& word) {
  constexpr std::array kAll{Cause::Memory,  Cause::TreeMemory,      Cause::Processes,
                            Cause::Timeout, Cause::PipelineTimeout, Cause::Idle,
                            Cause::Reserve};
  const auto* found = std::ranges::find(kAll, word, [](Cause cause) { return word_of(cause); });
  return found == kAll.end() ? std::nullopt : std::optional{*found};
}

/// The name before "=" in the line that would change the limit; empty for a built-in one.
std::string key_of(const json& object, const Card& card) {
  const std::string change = text(object, "change");
  const std::string key = change.substr(0, change.find_first_of(" ="));
  return card.limit_place == "built-in" && key == "ONELANE_" + card.limit_name ? "" : key;
}

void add_tree(Card& card, const json& object) {
  const auto tree = object.find("tree");
  if (tree == object.end() || !tree->is_array()) {
    return;
  }
  for (const json& process : *tree) {
    if (process.is_object() && card.tree.size() < Card::kMostShown) {
      card.tree.push_back({{pid(process, "pid"), 0},
                           pid(process, "parent"),
                           number(process, "bytes"),
                           text(process, "command")});
    }
  }
}

void add_curve(Card& card, const json& object) {
  const auto curve = object.find("curve");
  if (curve == object.end() || !curve->is_array()) {
    return;
  }
  for (const json& point : *curve) {
    if (point.is_number_unsigned() && card.curve.size() < kMostPoints) {
      card.curve.push_back(point.get<std::uint64_t>());
    }
  }
  card.curve_step = std::chrono::milliseconds{
      std::min<std::uint64_t>(number(object, "curve_step_ms"), 86'400'000)};
}

}  // namespace

std::optional<Card> card_of(const std::string& json_text) {
  const json object = json::parse(json_text, nullptr, false);
  const auto cause = object.is_object() ? cause_of(text(object, "cause")) : std::nullopt;
  if (!cause) {
    return std::nullopt;
  }
  Card card;
  card.breach.cause = *cause;
  card.breach.used = number(object, "used");
  card.breach.limit = number(object, "limit");
  card.breach.process = {pid(object, "pid"), 0};
  card.breach.running = std::chrono::milliseconds{
      std::min<std::uint64_t>(number(object, "after_ms"), std::uint64_t{1} << 40U)};
  card.limit_name = text(object, "limit_name");
  card.limit_place = text(object, "limit_place");
  card.limit_key = key_of(object, card);
  card.count = number(object, "processes");
  card.bytes = number(object, "bytes");
  add_tree(card, object);
  add_curve(card, object);
  return card;
}

}  // namespace onelane::guard
