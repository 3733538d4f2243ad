#include "shims/tables.hpp"

#include <algorithm>
#include <array>

#include "shims/args.hpp"

namespace onelane::shims {
namespace {

constexpr std::string_view kDriven =
    "--headless*|-headless|--remote-debugging-*|--marionette*|-marionette|--enable-automation";

// comm is cut to 15 characters, hence a glob for longer names. A program that rewrites its title
// ("ssh: ... [mux]") is matched by the title, which is then all of argv[0].
constexpr auto kKeepList = std::to_array<KeepRule>({
    // git and what it starts
    {"git-credential-cache--daemon", "", ""},
    {"git-credential-*", "", ""},
    {"git", "credential-cache--daemon", ""},
    {"git", "fsmonitor--daemon", ""},
    {"git", "maintenance", ""},
    {"git", "gc", ""},
    {"ssh: *", "", ""},
    {"ssh", "*ControlMaster*", ""},
    // keys
    {"gpg-agent", "", ""},
    {"keyboxd", "", ""},
    {"scdaemon", "", ""},
    {"dirmngr", "", ""},
    {"ssh-agent", "", ""},
    // build and check servers
    {"sccache", "", ""},
    {"ccache", "*server*", ""},
    {"ccache-storage-*", "", ""},
    {"java", "org.gradle.launcher.daemon.*", ""},
    {"java", "org.jetbrains.kotlin.daemon.*", ""},
    {"java", "*A-server.jar", ""},
    {"bazel(*", "", ""},
    {"buck2d*", "", ""},
    {"buckd", "", ""},
    {"watchman", "", ""},
    {"node", "*/nx/*/daemon/*", ""},
    {"nx-daemon", "", ""},
    {"turbo", "daemon", ""},
    {"dmypy", "", ""},
    {"python*", "mypy.dmypy", ""},
    {"flow", "server", ""},
    {"flow", "start", ""},
    // databases and containers
    {"postgres", "", ""},
    {"postgres: *", "", ""},
    {"mysqld", "", ""},
    {"mariadbd", "", ""},
    {"redis-server*", "", ""},
    {"valkey-server*", "", ""},
    {"mongod", "", ""},
    {"memcached", "", ""},
    {"dockerd", "", ""},
    {"containerd", "", ""},
    {"containerd-shim*", "", ""},
    {"conmon", "", ""},
    // terminals, desktop
    {"tmux: server", "", ""},
    {"tmux", "new-session", ""},
    {"screen", "-dm*", ""},
    {"SCREEN", "", ""},
    {"dbus-daemon", "", ""},
    {"dbus-launch", "", ""},
    // browsers that are not remote-controlled
    {"chrome", "", kDriven},
    {"chromium", "", kDriven},
    {"google-chrome*", "", kDriven},
    {"firefox*", "", kDriven},
});

}  // namespace

std::span<const KeepRule> keep_list() {
  return kKeepList;
}

bool keeps(const KeepRule& rule, std::string_view name,
           std::span<const std::string_view> arguments) {
  const auto given = [&](std::string_view pattern) {
    return std::ranges::any_of(
        arguments, [&](std::string_view argument) { return glob_matches(pattern, argument); });
  };
  if (!glob_matches(rule.name, name) || (!rule.argument.empty() && !given(rule.argument))) {
    return false;
  }
  for (std::string_view rest = rule.unless_argument; !rest.empty();) {
    const auto bar = std::min(rest.find('|'), rest.size());
    if (given(rest.substr(0, bar))) {
      return false;
    }
    rest.remove_prefix(std::min(bar + 1, rest.size()));
  }
  return true;
}

std::string_view index_lock_name() {
  return "index.lock";
}

}  // namespace onelane::shims
