#pragma once

#include <string>

namespace onelane::test {

enum class Json { OneText, Lines };

/// Checks `text` against `tests/schema/NAME.json`; returns one line per fault, empty when there are
/// none. Runs tests/schema/check.py with python3, and throws when it is missing.
[[nodiscard]] std::string schema_faults(const std::string& text, const std::string& name,
                                        Json kind = Json::OneText);

}  // namespace onelane::test
