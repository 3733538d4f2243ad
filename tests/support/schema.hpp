#pragma once

#include <string>

namespace onelane::test {

enum class Json { OneText, Lines };

/// Checks `text` against `tests/schema/NAME.json`; empty when nothing is wrong, else a line a
/// fault. Runs tests/schema/check.py with python3, and throws where there is none.
[[nodiscard]] std::string schema_faults(const std::string& text, const std::string& name,
                                        Json kind = Json::OneText);

}  // namespace onelane::test
