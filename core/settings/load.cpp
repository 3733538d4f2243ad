#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>
#include <system_error>

#include "core/settings/dotenv.hpp"
#include "core/settings/schema.hpp"
#include "core/settings/settings.hpp"
#include "core/settings/toml_layer.hpp"
#include "core/settings/trust.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "core/sys/text.hpp"
#include "core/sys/values.hpp"

namespace onelane::settings {
namespace {

constexpr std::size_t kTomlLimit = std::size_t{1} << 20;
constexpr std::size_t kDotenvLimit = std::size_t{256} << 10;
constexpr std::string_view kPrefix = "ONELANE_";

std::string why_unreadable(int error) {
  switch (error) {
    case ELOOP:
      return "is a symbolic link and was not read; accepted: a regular file";
    case EFBIG:
      return "is too large and was not read; accepted: 1 MiB of TOML, 256 KiB of .env.development";
    case EINVAL:
      return "is not a regular file and was not read";
    default:
      return "was not read: " + std::generic_category().message(error);
  }
}

/// Merges the layers, lowest first, into a Loaded that has the built-in values.
class Loader {
 public:
  Loader(const Request& request, Loaded& loaded) : request_{request}, loaded_{loaded} {}

  void load() {
    if (const auto path = user_file(); !path.empty()) {
      toml_file(path, Origin::User);
    }
    if (!request_.root.empty()) {
      toml_file(request_.root + "/onelane.toml", Origin::Project);
      dotenv_file(request_.root + "/.env.development");
    }
    environment();
    command_line();
    for (auto* setting : {&loaded_.settings.log_dir, &loaded_.settings.lock_base_dir}) {
      setting->value = absolute_path(request_.root, setting->value);
    }
  }

 private:
  void report(const Source& where, std::string text) {
    loaded_.problems.push_back({where, std::move(text)});
  }

  [[nodiscard]] const char* variable(const char* name) const {
    return request_.environment ? request_.environment(name) : nullptr;
  }

  [[nodiscard]] std::string user_file() const {
    // XDG Base Directory Specification: a relative path is invalid and is ignored.
    const char* const config = variable("XDG_CONFIG_HOME");
    if (config != nullptr && config[0] == '/') {
      return std::string{config} + "/onelane/config.toml";
    }
    return request_.home.starts_with('/') ? request_.home + "/.config/onelane/config.toml" : "";
  }

  std::optional<std::string> read(const std::string& path, std::size_t limit, Origin origin) {
    auto text = sys::read_small_file(path.c_str(), limit);
    if (!text && (errno == EMFILE || errno == ENFILE)) {
      sys::throw_errno("open", path);  // not this file's fault: no other will open either
    }
    if (!text && errno != ENOENT && errno != ENOTDIR) {
      report({origin, path, 0, {}}, why_unreadable(errno));
    }
    return text;
  }

  [[nodiscard]] TrustCheck trust_check(const std::string& path, const std::string& text) const {
    return TrustCheck{trust_directory(request_.home, request_.environment), path, text};
  }

  void toml_file(const std::string& path, Origin origin) {
    if (const auto text = read(path, kTomlLimit, origin)) {
      apply_toml({path, origin, request_.root, request_.has_policy}, *text,
                 trust_check(path, *text), loaded_);
    }
  }

  void dotenv_file(const std::string& path) {
    const auto text = read(path, kDotenvLimit, Origin::DotEnv);
    if (!text) {
      return;
    }
    auto check = trust_check(path, *text);
    for (const auto& entry : parse_dotenv(*text)) {
      const Field* const field = field_of(entry);
      if (field == nullptr || (entry.well_formed && sys::trim(entry.value).empty())) {
        continue;
      }
      const Source source{Origin::DotEnv, path, entry.line, sys::clean(entry.key)};
      if (!entry.well_formed) {
        report(source, "the quote is not closed, or something follows it; accepted: one value");
      } else if (auto wrong = check_path(*field, entry.value, request_.root, check)) {
        report(source, std::move(*wrong));
      } else {
        set(*field, entry.value, source);
      }
    }
  }

  [[nodiscard]] static const Field* field_of(const DotenvEntry& entry) {
    std::string_view name = entry.key;
    const bool prefixed = name.starts_with(kPrefix);
    if (prefixed) {
      name.remove_prefix(kPrefix.size());
    }
    for (const Field& field : all_fields()) {
      if ((prefixed || (entry.in_block && field.seed)) && upper_name(field.name) == name) {
        return &field;
      }
    }
    return nullptr;
  }

  void environment() {
    for (const Field& field : all_fields()) {
      if (field.allowed == Allowed::ProjectFiles) {
        continue;
      }
      const std::string bare = upper_name(field.name);
      // The bare name first: ONELANE_TIMEOUT wins over TIMEOUT.
      if (field.seed && request_.audience == Audience::Run) {
        from_environment(field, bare);
      }
      from_environment(field, std::string{kPrefix} + bare);
    }
  }

  void from_environment(const Field& field, const std::string& name) {
    const char* const value = variable(name.c_str());
    if (value != nullptr && value[0] != '\0') {
      set(field, value, {Origin::Environment, {}, 0, name});
    }
  }

  void command_line() {
    for (const auto& [name, value] : request_.command_line) {
      const Source source{Origin::CommandLine, {}, 0, sys::clean(name)};
      const Field* const field = field_of(plain_name(name));
      if (field == nullptr) {
        report(source, unknown_key(plain_name(name)));
      } else if (field->allowed == Allowed::ProjectFiles) {
        report(source, kProjectOnly);
      } else {
        set(*field, value, source);
      }
    }
  }

  /// An option may omit the unit: `--memory`, with units in its value.
  static const Field* field_of(const std::string& plain) {
    const Field* const field = find_field(plain);
    return field != nullptr ? field : find_field(plain + "_limit_mb");
  }

  /// `memory_limit_mb` for `--memory-limit-mb`.
  static std::string plain_name(std::string_view name) {
    name.remove_prefix(std::min(name.find_first_not_of('-'), name.size()));
    std::string plain{name};
    for (char& c : plain) {
      c = c == '-' ? '_' : c;
    }
    return plain;
  }

  void set(const Field& field, std::string_view text, const Source& source) {
    if (auto wrong = apply_text(loaded_.settings, field, text, source)) {
      report(source, std::move(*wrong));
    }
  }

  const Request& request_;
  Loaded& loaded_;  ///< Where the caller wants it: its page of settings is never copied.
};

}  // namespace

Loaded load(const Request& request) {
  Loaded loaded{built_in(request.audience, request.total_memory_mb), {}};
  Loader{request, loaded}.load();
  return loaded;
}

}  // namespace onelane::settings
