#include "shims/tables.hpp"

#include <array>

namespace onelane::shims {
namespace {

// comm is cut to 15 characters, hence a glob where a name is longer. A program that rewrites
// its title ("ssh: ... [mux]") is matched by the title, which is then all of argv[0].
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
    // browsers that nobody drives
    {"chrome", "", "--remote-debugging-*"},
    {"chromium", "", "--remote-debugging-*"},
    {"google-chrome*", "", "--remote-debugging-*"},
    {"firefox*", "", "*-marionette"},
});

}  // namespace

std::span<const KeepRule> keep_list() {
  return kKeepList;
}

std::string_view index_lock_name() {
  return "index.lock";
}

}  // namespace onelane::shims
