#include "multicall/init/kill_all.hpp"

#include "core/settings/edit.hpp"
#include "core/settings/trust.hpp"
#include "multicall/init/adoption.hpp"

namespace onelane::multicall::setup {

std::optional<std::string> with_kill_all(const std::string& text, InitReport& report) {
  auto after = settings::add_pass(text, "make", "kill-all");
  if (!after) {
    report.next.emplace_back(
        "add \"kill-all\" to `pass` of [tools.make] in onelane.toml, then: onelane trust");
  } else if (*after != text) {
    report.lines.emplace_back(
        "pass      make kill-all in onelane.toml (for a target that says: onelane stop "
        "--everything --yes)");
  }
  return after;
}

void keep_trust(const std::string& path, const std::string& before, bool loosens,
                InitReport& report) {
  const std::string after = read_text(path);
  const std::string directory = own_trust_directory();
  const bool was_trusted = settings::is_trusted(directory, path, before);
  if (was_trusted ? after == before : !loosens) {
    return;
  }
  if (was_trusted || (before.empty() && !directory.empty())) {
    settings::trust(directory, path, after);
    report.lines.emplace_back("trust     onelane.toml as it is now");
  } else {
    report.next.emplace_back("onelane trust   (after a look at the rest of onelane.toml)");
  }
}

}  // namespace onelane::multicall::setup
