#include "multicall/init/change.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "core/settings/sha256.hpp"
#include "core/sys/error.hpp"

namespace onelane::multicall::setup {
namespace {

namespace fs = std::filesystem;

/// The manifest's entry for a file: "HASH AT LENGTH FILE", LENGTH 0 for a whole file.
struct Written {
  std::string hash;
  std::size_t at = 0;
  std::size_t length = 0;
  std::string file;
};

std::string note_of(const Change& change) {
  const std::size_t length = change.is_new ? 0 : change.insertion.bytes.size();
  return fmt::format("{} {} {} {}", settings::sha256(change.after()), change.insertion.at, length,
                     change.file);
}

/// A manifest outside a git directory may have come with a checkout: its paths are not trusted.
bool stays_below(const fs::path& file) {
  return file.is_relative() && !file.empty() &&
         std::ranges::none_of(file, [](const fs::path& part) { return part == ".."; });
}

std::optional<Written> read_note(std::string_view note) {
  Written written;
  const std::size_t hash = note.find(' ');
  const std::size_t at = note.find(' ', hash + 1);
  const std::size_t length = note.find(' ', at + 1);
  if (length == std::string_view::npos) {
    return std::nullopt;
  }
  written.hash = note.substr(0, hash);
  const auto number = [&](std::size_t from, std::size_t to, std::size_t& into) {
    const auto [end, error] = std::from_chars(note.data() + from, note.data() + to, into);
    return error == std::errc{} && end == note.data() + to;
  };
  written.file = note.substr(length + 1);
  if (!number(hash + 1, at, written.at) || !number(at + 1, length, written.length) ||
      !stays_below(written.file)) {
    return std::nullopt;
  }
  return written;
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    lines.push_back(text.substr(at, end - at));
    at = end;
  }
  return lines;
}

std::string range(std::size_t from, std::size_t count) {
  return fmt::format("{},{}", count == 0 ? from : from + 1, count);
}

void add_lines(std::string& text, char sign, const std::vector<std::string_view>& lines,
               std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < to; ++i) {
    text += sign;
    text += lines[i];
    text += lines[i].ends_with('\n') ? "" : "\n\\ No newline at end of file\n";
  }
}

const char* word_of(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::Write:
      return "write";
    case Change::Kind::Already:
      return "already";
    case Change::Kind::Propose:
      return "propose";
    case Change::Kind::Refuse:
      break;
  }
  return "refuse";
}

bool is_as_written(const Written& written, const Found& found) {
  return found.kind == Found::Kind::Text && written.hash == settings::sha256(found.text) &&
         written.at <= found.text.size() && written.length <= found.text.size() - written.at;
}

}  // namespace

Change refuse(Change change, std::string why) {
  change.kind = Change::Kind::Refuse;
  change.why = std::move(why);
  return change;
}

Change insert(Change change, const std::optional<Insertion>& insertion) {
  if (!insertion) {
    return refuse(std::move(change), "has a layout that would not survive an addition");
  }
  change.kind = Change::Kind::Write;
  change.insertion = *insertion;
  return change;
}

Found look_for(const std::string& root, const std::string& file) {
  const fs::path path = fs::path{root} / file;
  std::error_code error;
  for (fs::path part = path.parent_path(); part != root; part = part.parent_path()) {
    if (fs::is_symlink(part, error)) {
      return {Found::Kind::Unusable, {}, "a symbolic link leads to it"};
    }
  }
  const fs::file_status status = fs::symlink_status(path, error);
  if (!fs::exists(status)) {
    return {};
  }
  if (!fs::is_regular_file(status)) {
    return {Found::Kind::Unusable, {}, fs::is_symlink(status) ? "a symbolic link" : "no file"};
  }
  try {
    return {Found::Kind::Text, read_text(path.string()), {}};
  } catch (const sys::SystemError&) {
    return {Found::Kind::Unusable, {}, "cannot be read"};
  }
}

std::string diff_of(const Change& change) {
  constexpr std::size_t kAround = 3;
  const std::string after_text = change.after();
  const auto before = split_lines(change.is_new ? std::string_view{} : change.before);
  const auto after = split_lines(after_text);
  const std::size_t shorter = std::min(before.size(), after.size());
  std::size_t same = 0;
  while (same < shorter && before[same] == after[same]) {
    ++same;
  }
  std::size_t tail = 0;
  while (tail < shorter - same &&
         before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) {
    ++tail;
  }
  const std::size_t begin = same - std::min(same, kAround);
  const std::size_t rest = std::min(tail, kAround);
  const std::size_t old_end = before.size() - tail;
  const std::size_t new_end = after.size() - tail;
  std::string text = (change.is_new ? "--- /dev/null" : "--- a/" + change.file) + "\n+++ b/" +
                     change.file + "\n@@ -" + range(begin, old_end + rest - begin) + " +" +
                     range(begin, new_end + rest - begin) + " @@\n";
  add_lines(text, ' ', after, begin, same);
  add_lines(text, '-', before, same, old_end);
  add_lines(text, '+', after, same, new_end);
  add_lines(text, ' ', after, new_end, new_end + rest);
  return text;
}

void write_change(const std::string& root, const Change& change, Manifest& manifest) {
  std::vector<std::string> missing;
  for (fs::path part = fs::path{change.file}.parent_path(); !part.empty();
       part = part.parent_path()) {
    if (!fs::exists(fs::path{root} / part)) {
      missing.push_back(part.string());
    }
  }
  // Noted before it is written: a crash between the two leaves nothing that uninit does not know.
  for (const std::string& directory : missing) {
    manifest.add("directory", directory);
  }
  manifest.add("text", note_of(change));
  manifest.save();
  fs::create_directories((fs::path{root} / change.file).parent_path());
  write_text(root + "/" + change.file, change.after());
}

std::vector<std::string> take_back(const std::string& root, const Manifest& manifest) {
  std::set<std::string> files;
  std::set<std::string> done;
  for (const std::string& note : manifest.names("text")) {
    const auto written = read_note(note);
    if (!written) {
      continue;
    }
    const Found found = look_for(root, written->file);
    if (found.kind != Found::Kind::Missing) {
      files.insert(written->file);
    }
    if (!is_as_written(*written, found)) {
      continue;
    }
    const std::string path = root + "/" + written->file;
    if (written->length == 0) {
      fs::remove(path);
    } else {
      std::string text = found.text;
      write_text(path, text.erase(written->at, written->length));
    }
    done.insert(written->file);
  }
  std::vector<std::string> kept;
  std::ranges::set_difference(files, done, std::back_inserter(kept));
  const auto directories = manifest.names("directory");
  // Innermost directories first; only if empty: other files in them stay.
  for (auto at = directories.rbegin(); at != directories.rend(); ++at) {
    std::error_code error;
    fs::remove(fs::path{root} / *at, error);
  }
  return kept;
}

nlohmann::json to_json(const Change& change) {
  const bool writes = change.kind == Change::Kind::Write;
  const bool is_left = change.kind == Change::Kind::Propose || change.kind == Change::Kind::Refuse;
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? nlohmann::json(nullptr) : nlohmann::json(text);
  };
  return {{"file", change.file},
          {"action", word_of(change.kind)},
          {"why", text_or_null(change.why)},
          {"runs", text_or_null(change.runs)},
          {"diff", writes ? nlohmann::json(diff_of(change)) : nlohmann::json(nullptr)},
          {"add", is_left ? text_or_null(change.text) : nlohmann::json(nullptr)}};
}

}  // namespace onelane::multicall::setup
