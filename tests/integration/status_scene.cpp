#include "tests/integration/status_scene.hpp"

#include <fstream>

namespace onelane::test {

void StatusTest::remember(const std::vector<std::string>& first, std::chrono::milliseconds duration,
                          int count) const {
  std::ofstream journal{state() + "/runs.jsonl", std::ios::app};
  for (int i = 0; i < count; ++i) {
    const nlohmann::json argv = first;
    journal << R"({"schema":1,"id":"aaaaaaaaaa)" << static_cast<char>(0x62 + i) << R"(","tool":")"
            << first.front() << R"(","argv":)" << argv << R"(,"duration_ms":)" << duration.count()
            << ",\"code\":0,\"reason\":\"exited\"}\n";
  }
}

}  // namespace onelane::test
