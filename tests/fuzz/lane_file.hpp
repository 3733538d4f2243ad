#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/lane/table.hpp"

namespace onelane::fuzz {

/// A lane whose parts have the fuzzer's bytes, and checksums that are right: what a user writes
/// who knows how.
class LaneFile {
 public:
  LaneFile() {
    char name[] = "/dev/shm/onelane-fuzz-XXXXXX";
    char elsewhere[] = "/tmp/onelane-fuzz-XXXXXX";
    const char* made = ::mkdtemp(name);
    made = made != nullptr ? made : ::mkdtemp(elsewhere);
    if (made == nullptr) {
      std::abort();
    }
    directory_ = made;
  }
  LaneFile(const LaneFile&) = delete;
  LaneFile& operator=(const LaneFile&) = delete;
  ~LaneFile() {
    for (const char* leaf : {"/lane", "/gate"}) {
      ::unlink((directory_ + leaf).c_str());
    }
    ::rmdir(directory_.c_str());
  }

  [[nodiscard]] lane::Table open() const { return {directory_, 0600}; }

  /// Header, last run, and then a ticket, a kept process and a place that was left for each round.
  /// What would keep a file from being looked at is put right in most of them.
  void write(const std::uint8_t* data, std::size_t size) const {
    const lane::Table table = open();
    if (::ftruncate(table.fd(), 0) != 0) {
      std::abort();
    }
    Bytes bytes{data, size};
    const bool is_copy = (bytes.byte() & 7U) == 7;
    const std::size_t rounds = bytes.byte() % kMostRounds;
    auto header = bytes.part<lane::Header>();
    header.magic = lane::kMagic;
    header.high = header.high % kTickets + 1;
    if (!is_copy) {
      header.file = table.id();
    }
    table.write(header);
    auto last = bytes.part<lane::LastRun>();
    if (!is_copy) {
      last.file = table.id();
    }
    table.write(last);
    std::vector<lane::Kept> kept;
    for (std::size_t round = 0; round < rounds; ++round) {
      const std::size_t slot = bytes.byte() % kTickets;
      const auto entry = bytes.part<lane::Entry>();
      auto detail = bytes.part<lane::Detail>();
      detail.sequence = entry.sequence;
      table.write(slot, detail);
      table.write(slot, entry);
      kept.push_back(bytes.part<lane::Kept>());
      table.write(bytes.byte() % lane::kLeftSlots, bytes.part<lane::Left>());
    }
    table.write_kept(kept);
  }

 private:
  static constexpr std::size_t kMostRounds = 6;
  static constexpr std::size_t kTickets = 8;

  /// The fuzzer's bytes, again from the front when they are used up: a few of them fill a field.
  class Bytes {
   public:
    Bytes(const std::uint8_t* data, std::size_t size) : data_{data}, size_{size} {}
    std::uint8_t byte() { return size_ == 0 ? std::uint8_t{0} : data_[at_++ % size_]; }
    template <class Part>
    Part part() {
      std::array<std::uint8_t, sizeof(Part)> bytes;
      for (std::uint8_t& each : bytes) {
        each = byte();
      }
      Part out;
      std::memcpy(static_cast<void*>(&out), bytes.data(), bytes.size());
      return out;
    }

   private:
    const std::uint8_t* data_;
    std::size_t size_;
    std::size_t at_ = 0;
  };

  std::string directory_;
};

}  // namespace onelane::fuzz
