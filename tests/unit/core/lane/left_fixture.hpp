#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/lane/left.hpp"
#include "core/sys/clock.hpp"
#include "tests/unit/core/lane/lane_fixture.hpp"

namespace onelane::lane {

inline constexpr std::uint32_t kWanted = 7;

/// Tickets that trace their name when they run, and are killed while they wait behind a holder.
class LeftTest : public LaneTest {
 protected:
  using Names = std::vector<std::string>;

  LeftTest() : file_{directory_, 0600} { holder_.emplace(file_, info()); }

  void hold() { ASSERT_EQ(holder_->advance(), Step::Started); }
  void let_go(const Names& expected) {
    holder_.reset();
    EXPECT_TRUE(eventually([&] { return traced().size() == expected.size(); }));
    EXPECT_EQ(traced(), expected);
  }
  static TicketInfo asking(std::uint32_t key,
                           std::chrono::milliseconds rejoin = std::chrono::seconds{60}) {
    TicketInfo out = info();
    out.rejoin_key = key;
    out.rejoin = rejoin;
    return out;
  }
  pid_t queue(const std::string& name, const TicketInfo& asked) {
    const pid_t pid = child([=, this] {
      const Table file = table();
      Ticket ticket{file, asked};
      if (wait_for_turn(ticket)) {
        trace(name);
      }
    });
    EXPECT_TRUE(eventually([&] {
      const auto entries = file_.entries();
      return std::ranges::any_of(
          entries, [&](const Entry& e) { return e.pid == pid && e.state == State::Waiting; });
    }));
    return pid;
  }
  void kill_waiter(pid_t pid) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    std::erase(children_, pid);
  }
  [[nodiscard]] std::vector<LeftPlace> places() const {
    const Header header = file_.header();
    const auto entries = file_.entries(header.high);
    return left_places(file_, header, entries, file_.are_alive(entries));
  }
  /// Waits until the call that queued last has found out about the one death: it does so just after
  /// it has taken its own place.
  [[nodiscard]] ::testing::AssertionResult discovers() const {
    return eventually([this] {
      const auto found = places();
      return found.size() == 1 && found[0].still && count(State::Waiting) == 1;
    });
  }
  /// Records a place as a ticket of that number would leave it.
  void write_place(std::size_t index, std::uint64_t sequence, std::chrono::nanoseconds until,
                   std::uint32_t boot = static_cast<std::uint32_t>(sys::boot_id())) {
    Left left;
    left.key = kWanted;
    left.sequence = sequence;
    left.until_boottime = until.count();
    left.uid = ::getuid();
    left.boot = boot;
    file_.write(index, left);
    Header header = file_.header();
    header.left = 1;
    header.next_sequence = std::max(header.next_sequence, sequence + 1);
    file_.write(header);
  }

  Table file_;
  std::optional<Ticket> holder_;
};

}  // namespace onelane::lane
