#include <algorithm>
#include <array>

#include "shims/args.hpp"
#include "shims/npm.hpp"

namespace onelane::shims::npm {
namespace {

// npm 11's options with a value; any other takes the next word only if it is true or false.
constexpr auto kValues = std::to_array<std::string_view>({
    "_auth",
    "access",
    "allow-directory",
    "allow-file",
    "allow-git",
    "allow-remote",
    "allow-scripts",
    "also",
    "audit-level",
    "auth-type",
    "before",
    "ca",
    "cache",
    "cache-max",
    "cache-min",
    "cafile",
    "call",
    "cert",
    "cidr",
    "cpu",
    "depth",
    "diff",
    "diff-dst-prefix",
    "diff-src-prefix",
    "diff-unified",
    "editor",
    "enjoy-by",
    "expect-result-count",
    "expires",
    "fetch-retries",
    "fetch-retry-factor",
    "fetch-retry-maxtimeout",
    "fetch-retry-mintimeout",
    "fetch-timeout",
    "git",
    "globalconfig",
    "heading",
    "https-proxy",
    "include",
    "init-author-email",
    "init-author-name",
    "init-author-url",
    "init-license",
    "init-module",
    "init-type",
    "init-version",
    "init.author.email",
    "init.author.name",
    "init.author.url",
    "init.license",
    "init.module",
    "init.version",
    "install-strategy",
    "key",
    "libc",
    "local-address",
    "location",
    "lockfile-version",
    "loglevel",
    "logs-dir",
    "logs-max",
    "maxsockets",
    "message",
    "min-release-age",
    "min-release-age-exclude",
    "name",
    "node-gyp",
    "node-options",
    "noproxy",
    "omit",
    "only",
    "orgs",
    "orgs-permission",
    "os",
    "otp",
    "pack-destination",
    "package",
    "packages",
    "packages-and-scopes-permission",
    "password",
    "prefix",
    "preid",
    "provenance-file",
    "proxy",
    "reg",
    "registry",
    "replace-registry-host",
    "save-prefix",
    "sbom-format",
    "sbom-type",
    "scope",
    "scopes",
    "script-shell",
    "searchexclude",
    "searchlimit",
    "searchopts",
    "searchstaleness",
    "shell",
    "tag",
    "tag-version-prefix",
    "token-description",
    "umask",
    "user-agent",
    "userconfig",
    "viewer",
    "which",
    "workspace",
});
static_assert(std::ranges::is_sorted(kValues));

// npm's option letters; the others stand for switches that do not matter here.
std::string_view long_name(char letter) {
  switch (letter) {
    case 'C':
      return "prefix";
    case 'L':
      return "location";
    case 'c':
      return "call";
    case 'm':
      return "message";
    case 'w':
      return "workspace";
    case 'H':
    case '?':
    case 'h':
      return "help";
    case 'v':
      return "version";
    case 'y':
      return "yes";
    default:
      return {};
  }
}

void note(Call& call, std::string_view name, std::string_view value, bool on) {
  if (one_of(name, {"help", "usage", "version", "versions"})) {
    call.answers = call.answers || on;
  } else if (name == "dry-run") {
    call.dry_run = on;
  } else if (name == "yes") {
    call.yes = on;
  } else if (name == "prefix") {
    call.prefix = value;
  } else if (name == "call") {
    call.call = value;
  }
}

/// Applies one option, given by its long name; moves `at` onto the next word if the option takes
/// it.
void read_named(Call& call, std::string_view name, const std::string_view* attached, Args args,
                std::size_t& at) {
  bool on = true;
  while (name.starts_with("no-")) {
    on = !on;
    name.remove_prefix(3);
  }
  const bool takes_value = on && std::ranges::binary_search(kValues, name);
  std::string_view value = attached != nullptr ? *attached : "";
  if (attached == nullptr && at + 1 < args.size()) {
    const std::string_view next = args[at + 1];
    const bool taken =
        takes_value ? next == "-" || !next.starts_with('-') : next == "true" || next == "false";
    value = taken ? args[++at] : value;
  }
  note(call, name, value, on == (value != "false"));
}

bool is_bundle(std::string_view letters) {
  return letters.find_first_not_of("aDBCEHLOPS?cdfghlmnpqsvwy") == std::string_view::npos;
}

void read_option(Call& call, Args args, std::size_t& at) {
  const std::string_view word = args[at];
  const bool is_long = word.starts_with("--");
  const std::string_view bare = word.substr(std::min(word.find_first_not_of('-'), word.size()));
  const auto equals = bare.find('=');
  const std::string_view name = bare.substr(0, equals);
  const bool is_attached = equals != std::string_view::npos;
  const std::string_view value = is_attached ? bare.substr(equals + 1) : "";
  const std::string_view* const attached = is_attached ? &value : nullptr;
  if (name.size() > 1 && (is_long || !is_bundle(name))) {
    read_named(call, name, attached, args, at);
    return;
  }
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool last = i + 1 == name.size();
    const std::string_view known = long_name(name[i]);
    if (last) {
      read_named(call, known, attached, args, at);
    } else {
      note(call, known, {}, true);
    }
  }
}

}  // namespace

Call read_call(Args args) {
  Call call;
  for (std::size_t at = 0; at < args.size(); ++at) {
    const std::string_view word = args[at];
    if (word.size() > 1 && word.find_first_not_of('-') == std::string_view::npos) {
      const Args rest = args.subspan(at + 1);
      call.operands.insert(call.operands.end(), rest.begin(), rest.end());
      break;
    }
    if (word.size() > 1 && word.front() == '-') {
      read_option(call, args, at);
    } else {
      call.operands.push_back(word);
    }
  }
  return call;
}

}  // namespace onelane::shims::npm
