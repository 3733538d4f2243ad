#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/settings/schema.hpp"
#include "core/settings/settings.hpp"

namespace onelane::settings {

inline constexpr char kProjectOnly[] =
    "does not count here; accepted: in onelane.toml and .env.development of a project";

/// Whether one file is trusted; reads the disk at most once and only when the answer is needed.
class TrustCheck {
 public:
  /// `content` is borrowed and must outlive the check.
  TrustCheck(std::string directory, std::string path, std::string_view content)
      : directory_{std::move(directory)}, path_{std::move(path)}, content_{content} {}
  [[nodiscard]] bool passes();

 private:
  std::string directory_;
  std::string path_;
  std::string_view content_;
  std::optional<bool> answer_;
};

/// Where a TOML layer comes from.
struct TomlOrigin {
  std::string file;
  Origin origin = Origin::Project;
  std::string root;                                     ///< Root of the project, may be empty.
  bool (*has_policy)(std::string_view tool) = nullptr;  ///< As in Request.
};

/// Applies one onelane.toml or config.toml on top of `loaded`.
void apply_toml(const TomlOrigin& where, std::string_view text, TrustCheck check, Loaded& loaded);

/// Why a project file may not set the path `field` to `value`: it leaves the project (through `..`,
/// an absolute path or a symbolic link) and the file is not trusted. nullopt when it may.
[[nodiscard]] std::optional<std::string> check_path(const Field& field, std::string_view value,
                                                    const std::string& root, TrustCheck& check);

/// `path` resolved against `root`, without `.` and `..`; unchanged when it is empty or there is no
/// root.
[[nodiscard]] std::string absolute_path(const std::string& root, const std::string& path);

/// The text of a Problem about an unknown key, with the name that was probably meant.
[[nodiscard]] std::string unknown_key(std::string_view key);

}  // namespace onelane::settings
