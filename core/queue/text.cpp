#include "core/queue/text.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <set>
#include <type_traits>
#include <utility>

#include "core/sys/hex.hpp"
#include "core/sys/text.hpp"

namespace onelane::queue {
namespace {

using Json = rapidjson::Value;

constexpr int kSchema = 2;
constexpr int kOldSchema = 1;
constexpr int kDeepest = 6;

/// Thrown when a text is not as it should be; never leaves this file.
struct Malformed {};

void require(bool holds) {
  if (!holds) {
    throw Malformed{};
  }
}

/// One record: {"KIND":…} and `\n`.
class Line {
 public:
  explicit Line(const char* kind) {
    out_.StartObject();
    out_.Key(kind);
  }

  void open(const char* object) {
    out_.Key(object);
    out_.StartObject();
  }
  void open() { out_.StartObject(); }
  void close() { out_.EndObject(); }
  void put(const std::string& bytes) {
    if (sys::is_utf8(bytes)) {
      put_text(bytes);
      return;
    }
    open();
    out_.Key("hex");
    put_text(sys::to_hex(bytes));
    close();
  }
  void put(const std::vector<std::string>& list) {
    out_.StartArray();
    std::ranges::for_each(list, [this](const std::string& bytes) { put(bytes); });
    out_.EndArray();
  }
  void put(const char* name, const std::string& bytes) {
    out_.Key(name);
    put(bytes);
  }
  void put(const char* name, const std::vector<std::string>& list) {
    out_.Key(name);
    put(list);
  }
  void put(const char* name, std::string_view word) {
    out_.Key(name);
    put_text(word);
  }
  void put(const char* name, bool flag) {
    out_.Key(name);
    out_.Bool(flag);
  }
  void put(const char* name, std::int64_t number) {
    out_.Key(name);
    out_.Int64(number);
  }
  void put(const char* name, std::uint64_t number) {
    out_.Key(name);
    out_.Uint64(number);
  }
  /// The text; nothing may be put any more.
  [[nodiscard]] std::string take() {
    out_.EndObject();
    return std::string{buffer_.GetString(), buffer_.GetSize()} + "\n";
  }

 private:
  void put_text(std::string_view text) {
    out_.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> out_{buffer_};
};

/// The member `name`; null if there is none.
const Json* find(const Json& object, const char* name) {
  require(object.IsObject());
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

const Json& member(const Json& object, const char* name) {
  const Json* found = find(object, name);
  require(found != nullptr);
  return *found;
}

std::string_view word_in(const Json& value) {
  require(value.IsString());
  return {value.GetString(), value.GetStringLength()};
}

std::string bytes_of(const Json& value) {
  std::string out;
  if (value.IsString()) {
    out = word_in(value);
  } else {
    const auto bytes = sys::from_hex(word_in(member(value, "hex")));
    require(bytes.has_value());
    out = *bytes;
  }
  require(out.find('\0') == std::string::npos);  // execve(2) would see less than we show
  return out;
}

std::vector<std::string> list_of(const Json& value) {
  require(value.IsArray());
  std::vector<std::string> out;
  out.reserve(value.Size());
  std::ranges::transform(value.GetArray(), std::back_inserter(out), &bytes_of);
  return out;
}

/// A number that is not there is 0.
template <class Number>
Number number_of(const Json& object, const char* name) {
  const Json* found = find(object, name);
  if (found == nullptr) {
    return 0;
  }
  if (found->IsUint64()) {
    require(std::in_range<Number>(found->GetUint64()));
    return static_cast<Number>(found->GetUint64());
  }
  require(found->IsInt64() && std::in_range<Number>(found->GetInt64()));
  return static_cast<Number>(found->GetInt64());
}

std::string text_of(const Json& object, const char* name) {
  const Json* found = find(object, name);
  return found == nullptr ? std::string{} : bytes_of(*found);
}

bool flag_of(const Json& object, const char* name) {
  const Json* found = find(object, name);
  require(found == nullptr || found->IsBool());
  return found != nullptr && found->GetBool();
}

State state_in(const Json& object) {
  const auto state = state_of(word_in(member(object, "state")));
  require(state.has_value());
  return *state;
}

/// Files of an older onelane call a queue start a batch.
std::string queue_start_of(const Json& value) {
  return text_of(value, find(value, "batch") != nullptr ? "batch" : "queue_start");
}

Entry entry_of(const Json& value) {
  Entry entry;
  entry.id = number_of<std::uint64_t>(value, "id");
  entry.argv = list_of(member(value, "argv"));
  entry.cwd = bytes_of(member(value, "cwd"));
  entry.options = list_of(member(value, "options"));
  entry.label = text_of(value, "label");
  entry.user = text_of(value, "user");
  entry.agent = text_of(value, "agent");
  entry.is_deferred = flag_of(value, "deferred");
  entry.state = state_in(value);
  require(entry.id != 0 && !entry.argv.empty() && entry.cwd.starts_with('/'));
  entry.added_wall_ms = number_of<std::int64_t>(value, "added_wall_ms");
  entry.started_wall_ms = number_of<std::int64_t>(value, "started_wall_ms");
  entry.ended_wall_ms = number_of<std::int64_t>(value, "ended_wall_ms");
  entry.run = text_of(value, "run");
  entry.queue_start = queue_start_of(value);
  if (find(value, "code") != nullptr) {
    entry.code = number_of<std::int64_t>(value, "code");
  }
  if (const Json* atoms = find(value, "atoms")) {
    entry.atoms = {text_of(*atoms, "which"), number_of<std::uint64_t>(*atoms, "size"),
                   flag_of(*atoms, "force")};
    require(!entry.atoms.which.empty());
  }
  return entry;
}

std::optional<std::size_t> environment_of(const Json& entry) {
  return find(entry, "environment") == nullptr
             ? std::nullopt
             : std::optional{number_of<std::size_t>(entry, "environment")};
}

/// All of a queue but its entries.
Queue head_of(const Json& value, int schema) {
  require(number_of<int>(value, "schema") == schema);
  Queue queue;
  queue.next_id = number_of<std::uint64_t>(value, "next_id");
  queue.is_closed = flag_of(value, "closed");
  queue.is_stopping = flag_of(value, "stopping");
  queue.paused_wall_ms = number_of<std::int64_t>(value, "paused_wall_ms");
  if (const Json* starter = find(value, "starter")) {
    queue.starter = {number_of<std::int32_t>(*starter, "pid"), text_of(*starter, "user"),
                     queue_start_of(*starter), number_of<std::int64_t>(*starter, "since_wall_ms")};
  }
  return queue;
}

Queue old_queue_of(const Json& value) {
  Queue queue = head_of(value, kOldSchema);
  std::vector<std::shared_ptr<Environment>> environments;
  const Json& lists = member(value, "environments");
  const Json& objects = member(value, "entries");
  require(lists.IsArray() && objects.IsArray());
  for (const Json& environment : lists.GetArray()) {
    environments.push_back(std::make_shared<Environment>(list_of(environment)));
  }
  std::set<std::uint64_t> ids;
  for (const Json& object : objects.GetArray()) {
    Entry entry = entry_of(object);
    if (const auto index = environment_of(object)) {
      require(*index < environments.size());
      entry.environment = environments[*index];
    }
    require(entry.id < queue.next_id && ids.insert(entry.id).second);
    queue.entries.push_back(std::move(entry));
  }
  return queue;
}

BeginRecord begin_of(const Json& value) {
  return {number_of<std::uint64_t>(value, "id"), text_of(value, "queue_start"),
          number_of<std::int64_t>(value, "started_wall_ms")};
}

EndRecord end_of(const Json& value) {
  EndRecord end{number_of<std::uint64_t>(value, "id"), state_in(value), std::nullopt,
                text_of(value, "run"), number_of<std::int64_t>(value, "ended_wall_ms")};
  require(end.state != State::Queued && end.state != State::Running);
  if (find(value, "code") != nullptr) {
    end.code = number_of<std::int64_t>(value, "code");
  }
  return end;
}

Record record_of(const Json& value) {
  require(value.IsObject() && value.MemberCount() == 1);
  const std::string_view kind = word_in(value.MemberBegin()->name);
  const Json& body = value.MemberBegin()->value;
  if (kind == "entry") {
    return EntryRecord{entry_of(body), environment_of(body)};
  }
  if (kind == "begin") {
    return begin_of(body);
  }
  if (kind == "end") {
    return end_of(body);
  }
  if (kind == "environment") {
    return EnvironmentRecord{list_of(body)};
  }
  require(kind == "queue");
  return HeadRecord{head_of(body, kSchema), text_of(body, "imported")};
}

/// True for a text with more levels of objects and arrays than we write.
bool is_too_deep(std::string_view text) {
  int depth = 0;
  bool is_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_string) {
      i += c == '\\' ? 1 : 0;
      is_string = c != '"';
    } else if (c == '"') {
      is_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepest) {
        return true;
      }
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

/// What `make` builds from the JSON in `text`; nullopt if that is not as it should be.
template <class Make>
std::optional<std::invoke_result_t<Make, const Json&>> read_json(std::string_view text,
                                                                 const Make& make) {
  if (is_too_deep(text)) {
    return std::nullopt;
  }
  char room[4096];  // enough for an entry
  rapidjson::MemoryPoolAllocator<> pool{room, sizeof room};
  rapidjson::Document document{&pool};
  document.Parse<rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  if (document.HasParseError()) {
    return std::nullopt;
  }
  try {
    return make(document);
  } catch (const Malformed&) {
    return std::nullopt;
  }
}

}  // namespace

std::string to_line(const Queue& queue, const std::string& imported) {
  Line line{"queue"};
  line.open();
  line.put("schema", std::int64_t{kSchema});
  line.put("next_id", queue.next_id);
  line.put("closed", queue.is_closed);
  line.put("stopping", queue.is_stopping);
  line.put("paused_wall_ms", queue.paused_wall_ms);
  line.put("imported", imported);
  if (queue.starter) {
    line.open("starter");
    line.put("pid", std::int64_t{queue.starter->pid});
    line.put("user", queue.starter->user);
    line.put("queue_start", queue.starter->queue_start);
    line.put("since_wall_ms", queue.starter->since_wall_ms);
    line.close();
  }
  line.close();
  return line.take();
}

std::string to_line(const Environment& environment) {
  Line line{"environment"};
  line.put(environment);
  return line.take();
}

std::string to_line(const Entry& entry, std::optional<std::size_t> environment) {
  Line line{"entry"};
  line.open();
  line.put("id", entry.id);
  line.put("argv", entry.argv);
  line.put("cwd", entry.cwd);
  line.put("options", entry.options);
  line.put("label", entry.label);
  line.put("user", entry.user);
  line.put("agent", entry.agent);
  line.put("deferred", entry.is_deferred);
  line.put("state", word_of(entry.state));
  line.put("added_wall_ms", entry.added_wall_ms);
  line.put("started_wall_ms", entry.started_wall_ms);
  line.put("ended_wall_ms", entry.ended_wall_ms);
  line.put("run", entry.run);
  line.put("queue_start", entry.queue_start);
  if (!entry.atoms.which.empty()) {
    line.open("atoms");
    line.put("which", entry.atoms.which);
    line.put("size", entry.atoms.size);
    line.put("force", entry.atoms.is_forced);
    line.close();
  }
  if (entry.code) {
    line.put("code", *entry.code);
  }
  if (environment) {
    line.put("environment", std::uint64_t{*environment});
  }
  line.close();
  return line.take();
}

std::string to_line(const BeginRecord& begin) {
  Line line{"begin"};
  line.open();
  line.put("id", begin.id);
  line.put("queue_start", begin.queue_start);
  line.put("started_wall_ms", begin.started_wall_ms);
  line.close();
  return line.take();
}

std::string to_line(const EndRecord& end) {
  Line line{"end"};
  line.open();
  line.put("id", end.id);
  line.put("state", word_of(end.state));
  if (end.code) {
    line.put("code", *end.code);
  }
  line.put("run", end.run);
  line.put("ended_wall_ms", end.ended_wall_ms);
  line.close();
  return line.take();
}

std::optional<Record> parse_record(std::string_view line) {
  return read_json(line, &record_of);
}

std::optional<Queue> parse_old(std::string_view text) {
  return text.size() > kLongestText ? std::nullopt : read_json(text, &old_queue_of);
}

}  // namespace onelane::queue
