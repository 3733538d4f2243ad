#include "core/queue/text.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/sys/hex.hpp"

namespace onelane::queue {
namespace {

using nlohmann::json;

constexpr int kSchema = 1;
constexpr int kDeepest = 6;

/// Thrown when parse gives up; never leaves this file.
struct Malformed {};

void require(bool holds) {
  if (!holds) {
    throw Malformed{};
  }
}

json bytes_json(const std::string& bytes) {
  json text = bytes;
  try {
    (void)text.dump();
    return text;
  } catch (const json::type_error&) {
    return {{"hex", sys::to_hex(bytes)}};
  }
}

json list_json(const std::vector<std::string>& list) {
  json out = json::array();
  std::ranges::transform(list, std::back_inserter(out), &bytes_json);
  return out;
}

std::string bytes_of(const json& value) {
  std::string out;
  if (value.is_string()) {
    out = value.get<std::string>();
  } else {
    const auto bytes = sys::from_hex(value.at("hex").get<std::string>());
    require(bytes.has_value());
    out = *bytes;
  }
  require(out.find('\0') == std::string::npos);  // execve(2) would see less than we show
  return out;
}

std::vector<std::string> list_of(const json& value) {
  require(value.is_array());
  std::vector<std::string> out;
  std::ranges::transform(value, std::back_inserter(out), &bytes_of);
  return out;
}

template <class Number>
Number number_of(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) {
    return 0;
  }
  require(found->is_number_integer());
  require(found->is_number_unsigned() ? std::in_range<Number>(found->get<std::uint64_t>())
                                      : std::in_range<Number>(found->get<std::int64_t>()));
  return found->get<Number>();
}

std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? std::string{} : bytes_of(*found);
}

bool flag_of(const json& object, const char* name) {
  const auto found = object.find(name);
  require(found == object.end() || found->is_boolean());
  return found != object.end() && found->get<bool>();
}

json json_of(const Entry& entry) {
  json out{{"id", entry.id},
           {"argv", list_json(entry.argv)},
           {"cwd", bytes_json(entry.cwd)},
           {"options", list_json(entry.options)},
           {"label", bytes_json(entry.label)},
           {"user", bytes_json(entry.user)},
           {"agent", bytes_json(entry.agent)},
           {"deferred", entry.is_deferred},
           {"state", word_of(entry.state)},
           {"added_wall_ms", entry.added_wall_ms},
           {"started_wall_ms", entry.started_wall_ms},
           {"ended_wall_ms", entry.ended_wall_ms},
           {"run", bytes_json(entry.run)},
           {"queue_start", bytes_json(entry.queue_start)}};
  if (!entry.atoms.which.empty()) {
    out["atoms"] = {{"which", bytes_json(entry.atoms.which)},
                    {"size", entry.atoms.size},
                    {"force", entry.atoms.is_forced}};
  }
  if (entry.code) {
    out["code"] = *entry.code;
  }
  return out;
}

/// Files of an older onelane call a queue start a batch.
std::string queue_start_of(const json& value) {
  return text_of(value, value.contains("batch") ? "batch" : "queue_start");
}

Entry entry_of(const json& value, const std::vector<std::shared_ptr<Environment>>& environments) {
  require(value.is_object());
  Entry entry;
  entry.id = number_of<std::uint64_t>(value, "id");
  entry.argv = list_of(value.at("argv"));
  entry.cwd = bytes_of(value.at("cwd"));
  entry.options = list_of(value.at("options"));
  entry.label = text_of(value, "label");
  entry.user = text_of(value, "user");
  entry.agent = text_of(value, "agent");
  entry.is_deferred = flag_of(value, "deferred");
  const auto state = state_of(value.at("state").get<std::string>());
  require(state && entry.id != 0 && !entry.argv.empty() && entry.cwd.starts_with('/'));
  entry.state = *state;
  entry.added_wall_ms = number_of<std::int64_t>(value, "added_wall_ms");
  entry.started_wall_ms = number_of<std::int64_t>(value, "started_wall_ms");
  entry.ended_wall_ms = number_of<std::int64_t>(value, "ended_wall_ms");
  entry.run = text_of(value, "run");
  entry.queue_start = queue_start_of(value);
  if (value.contains("code")) {
    entry.code = number_of<std::int64_t>(value, "code");
  }
  if (value.contains("atoms")) {
    const json& atoms = value.at("atoms");
    require(atoms.is_object());
    entry.atoms = {text_of(atoms, "which"), number_of<std::uint64_t>(atoms, "size"),
                   flag_of(atoms, "force")};
    require(!entry.atoms.which.empty());
  }
  if (value.contains("environment")) {
    const auto index = number_of<std::size_t>(value, "environment");
    require(index < environments.size());
    entry.environment = environments[index];
  }
  return entry;
}

Queue queue_of(const json& value) {
  require(value.is_object() && number_of<int>(value, "schema") == kSchema);
  Queue queue;
  queue.next_id = number_of<std::uint64_t>(value, "next_id");
  queue.is_closed = flag_of(value, "closed");
  queue.is_stopping = flag_of(value, "stopping");
  queue.paused_wall_ms = number_of<std::int64_t>(value, "paused_wall_ms");
  if (value.contains("starter")) {
    const json& starter = value.at("starter");
    require(starter.is_object());
    queue.starter = {number_of<std::int32_t>(starter, "pid"), text_of(starter, "user"),
                     queue_start_of(starter), number_of<std::int64_t>(starter, "since_wall_ms")};
  }
  std::vector<std::shared_ptr<Environment>> environments;
  require(value.at("environments").is_array() && value.at("entries").is_array());
  for (const json& environment : value.at("environments")) {
    environments.push_back(std::make_shared<Environment>(list_of(environment)));
  }
  std::set<std::uint64_t> ids;
  for (const json& entry : value.at("entries")) {
    queue.entries.push_back(entry_of(entry, environments));
    const std::uint64_t id = queue.entries.back().id;
    require(id < queue.next_id && ids.insert(id).second);
  }
  return queue;
}

}  // namespace

std::string to_text(const Queue& queue) {
  json out{{"schema", kSchema},
           {"next_id", queue.next_id},
           {"closed", queue.is_closed},
           {"stopping", queue.is_stopping},
           {"paused_wall_ms", queue.paused_wall_ms},
           {"environments", json::array()},
           {"entries", json::array()}};
  if (queue.starter) {
    out["starter"] = {{"pid", queue.starter->pid},
                      {"user", bytes_json(queue.starter->user)},
                      {"queue_start", bytes_json(queue.starter->queue_start)},
                      {"since_wall_ms", queue.starter->since_wall_ms}};
  }
  std::map<Environment, std::size_t> written;
  for (const Entry& entry : queue.entries) {
    out["entries"].push_back(json_of(entry));
    if (entry.environment) {
      const auto [at, is_new] = written.try_emplace(*entry.environment, written.size());
      if (is_new) {
        out["environments"].push_back(list_json(*entry.environment));
      }
      out["entries"].back()["environment"] = at->second;
    }
  }
  return out.dump() + "\n";
}

std::optional<Queue> parse(std::string_view text) {
  if (text.size() > kLongestText) {
    return std::nullopt;
  }
  bool is_too_deep = false;
  const auto look = [&](int depth, json::parse_event_t, json&) {
    is_too_deep = is_too_deep || depth > kDeepest;
    return !is_too_deep;
  };
  try {
    const json value = json::parse(text, look);
    require(!is_too_deep);
    return queue_of(value);
  } catch (const json::exception&) {
    return std::nullopt;
  } catch (const Malformed&) {
    return std::nullopt;
  }
}

}  // namespace onelane::queue
