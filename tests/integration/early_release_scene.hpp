#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "tests/integration/run_scene.hpp"

namespace onelane::test {

/// A socket of the test's own on a port that no other program uses.
class Listener {
 public:
  Listener() : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = std::to_string(::ntohs(address.sin_port));
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { close(); }

  void listen() const { EXPECT_EQ(::listen(fd_, 1), 0); }
  void close() {
    if (fd_ >= 0) {
      ::close(fd_);
      fd_ = -1;
    }
  }
  [[nodiscard]] const std::string& port() const { return port_; }

 private:
  int fd_;
  std::string port_;
};

/// `onelane run --release-on-ready=…` of a server that holds until its gate opens.
class EarlyReleaseScene : public RunScene {
 protected:
  EarlyReleaseScene() { reserved_.close(); }

  /// `run` with the option, and the fake tool with `script`, then the gate.
  [[nodiscard]] Words server_words(const std::string& ready, const Words& script) const {
    Words words{"--release-on-ready=" + ready, "--", tool()};
    words.insert(words.end(), script.begin(), script.end());
    words.insert(words.end(), {"trace", "serving", "hold-until", gate_.path(), "trace", "served"});
    return words;
  }
  Running start_server(const std::string& ready, const Words& script) {
    Running server = start_run(server_words(ready, script));
    sandbox_.wait_for("serving");
    return server;
  }
  nlohmann::json services() { return status_of(sandbox_)["services"]; }
  bool becomes_service() {
    return eventually([&] { return services().size() == 1; });
  }
  /// True once the holder has run for that long, and the supervisor has looked at it many times.
  bool holds_for(int ms) {
    return eventually([&] {
      const auto holder = status_of(sandbox_)["holder"];
      return !holder.is_null() && holder["running_ms"].is_number() && holder["running_ms"] > ms;
    });
  }
  /// A `make` that runs now, while the server lives.
  void expect_free_lane() {
    const Ended next = sandbox_.run({"make", "trace", "next"});
    EXPECT_TRUE(next.exited_with(0)) << next.err;
    EXPECT_EQ(sandbox_.texts("served").size(), 0U);
  }

  Listener reserved_;
  std::string port_{reserved_.port()};
  Gate gate_{sandbox_, "server-gate"};
};

}  // namespace onelane::test
