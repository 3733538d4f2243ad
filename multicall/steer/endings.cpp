#include "multicall/steer/endings.hpp"

#include <set>
#include <utility>

#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/view/orphan_rows.hpp"

namespace onelane::multicall {
namespace {

/// Why `stop` spares a process, for people.
std::string_view spared_words(std::string_view why) {
  return why == "listed"     ? "which is on the keep list"
         : why == "terminal" ? "which has a terminal of its own"
         : why == "detached" ? "which has left the run's session"
                             : "which the run has written down as kept";
}

}  // namespace

bool Endings::end(const Found& found, Manner manner) {
  const std::string name = name_of(found);
  const auto kill_timeout = lanes_.settings.kill_timeout.value;
  const RunEnd result = end_run(*found.table, found.ticket, kill_timeout, manner);
  if (!result.ended) {
    say_always(name + " has not ended: " + result.why);
    code_ = 1;
    return false;
  }
  tell("ended " + name);
  ended_.push_back(found.id());
  clear(found.id());
  return true;
}

void Endings::clear(const std::string& id) {
  process::OrphanRules rules = orphan_rules(&lanes_, book_);
  rules.occasion = process::Occasion::Stop;
  const Remains remains = clear_remains(id, std::move(rules), lanes_.settings.kill_timeout.value);
  std::set<pid_t> named;
  for (const process::Orphan& kept : remains.kept) {
    named.insert(kept.stat.id.pid);
    name_kept(kept.stat.id, id, word_of(kept.sorted));
  }
  for (const auto& stat : remains.left) {
    named.insert(stat.id.pid);
  }
  // The run itself may have kept processes whose id we cannot read.
  for (const lane::Kept& kept : kept_by(lanes_)) {
    if (lane::view(kept.run_id) == id && named.insert(kept.pid).second) {
      name_kept({kept.pid, kept.start}, id, "recorded");
    }
  }
  for (const auto& stat : remains.left) {
    say_always("still there after SIGKILL: " + sys::command_line(stat.id.pid, 80) + " (pid " +
               std::to_string(stat.id.pid) + ")");
    left_.push_back(stat.id.pid);
    code_ = 1;
  }
}

void Endings::name_kept(const sys::ProcessId& id, const std::string& run, std::string_view why) {
  const std::string command = sys::command_line(id.pid, 80);
  tell("left running: " + command + " (pid " + std::to_string(id.pid) + "), " +
       std::string{spared_words(why)});
  kept_.push_back({{"pid", id.pid}, {"command", command}, {"run", run}, {"why", why}});
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
