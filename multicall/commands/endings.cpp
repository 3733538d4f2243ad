#include "multicall/commands/endings.hpp"

#include "multicall/commands/commands.hpp"
#include "multicall/say.hpp"

namespace onelane::multicall {

void Endings::end(const Found& found, Manner manner) {
  const std::string name = name_of(found);
  const auto kill_timeout = lanes_.settings.kill_timeout.value;
  const RunEnd result = end_run(*found.table, found.ticket, kill_timeout, manner);
  if (!result.ended) {
    say_always(name + " has not ended: " + result.why);
    code_ = 1;
    return;
  }
  tell("ended " + name);
  ended_.push_back(found.id());
  clear(found.id());
}

void Endings::clear(const std::string& id) {
  const Remains remains =
      clear_remains(id, orphan_rules(&lanes_, book_), lanes_.settings.kill_timeout.value);
  for (const process::Orphan& kept : remains.kept) {
    const std::string command = sys::command_line(kept.stat.id.pid, 80);
    tell("left running on purpose: " + command + " (pid " + std::to_string(kept.stat.id.pid) + ")");
    kept_.push_back({{"pid", kept.stat.id.pid}, {"command", command}, {"run", id}});
  }
  for (const auto& stat : remains.left) {
    say_always("still there after SIGKILL: " + sys::command_line(stat.id.pid, 80) + " (pid " +
               std::to_string(stat.id.pid) + ")");
    left_.push_back(stat.id.pid);
    code_ = 1;
  }
}

void Endings::tell(const std::string& line) const {
  if (!as_json_) {
    print(line + "\n");
  }
}

nlohmann::json Endings::report() const {
  return {{"schema", 1}, {"ended", ended_}, {"kept", kept_}, {"left", left_}};
}

}  // namespace onelane::multicall
