#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shims/shim.hpp"

namespace {

using onelane::shims::Args;
using onelane::shims::Decision;
using onelane::shims::Facts;

/// A world in which every question is answered from the input, or not at all.
class InputFacts : public Facts {
 public:
  InputFacts(Args words, unsigned char flags) : words_{words}, flags_{flags} {}

  [[nodiscard]] bool stdin_is_terminal() const override { return (flags_ & 1U) != 0; }
  [[nodiscard]] std::optional<std::string> environment(std::string_view name) const override {
    return (flags_ & 2U) != 0 ? answer(name) : std::nullopt;
  }
  [[nodiscard]] std::optional<std::string> git_alias(std::string_view name) const override {
    return (flags_ & 4U) != 0 ? answer(name) : std::nullopt;
  }
  [[nodiscard]] std::optional<std::string> npm_script(std::string_view name) const override {
    return (flags_ & 8U) != 0 ? answer(name) : std::nullopt;
  }
  [[nodiscard]] bool git_hook(std::string_view /*name*/) const override {
    return (flags_ & 16U) != 0;
  }

 private:
  [[nodiscard]] std::optional<std::string> answer(std::string_view name) const {
    if (words_.empty()) {
      return std::nullopt;
    }
    return std::string{words_[name.size() % words_.size()]};
  }

  Args words_;
  unsigned char flags_;
};

void check(const Decision& decision) {
  if (decision.reason.empty()) {
    std::abort();
  }
}

}  // namespace

// The first byte chooses the facts; the rest is words, each ended by NUL, the first one also
// an entry of the project's lists.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  std::vector<std::string> text(1);
  for (std::size_t i = 1; i < size; ++i) {
    if (data[i] == 0) {
      text.emplace_back();
    } else {
      text.back().push_back(static_cast<char>(data[i]));
    }
  }
  const std::vector<std::string_view> words{text.begin(), text.end()};
  const Args args{words};
  const InputFacts facts{args, data[0]};
  const onelane::shims::ToolLists lists{.pass = {text.front()}, .service = {text.back()}};
  for (const auto& shim : onelane::shims::all_shims()) {
    const Decision decision = shim.classify(args, facts);
    check(decision);
    (void)shim.target(args);
    check(onelane::shims::apply_lists(shim.name, args, decision, lists));
  }
  check(onelane::shims::classify_listed(args, lists));
  return 0;
}
