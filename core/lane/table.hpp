#pragma once

#include <fcntl.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/lane/record.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::lane {

/// A ticket overtaken this often goes first, whatever its priority.
inline constexpr std::uint8_t kOvertakeCap = 16;

/// Opens a file of the lane for reading and writing; makes it with exactly `mode` and, as root,
/// with the owner of `directory`, so that the user who comes first does not lock out the others.
/// Never blocks on a FIFO. Throws SystemError, also when it is not a regular file.
[[nodiscard]] sys::FileDescriptor open_shared(const std::string& path, const std::string& directory,
                                              unsigned mode);

/// Identity of an open file; zero when fstat(2) fails.
[[nodiscard]] FileId file_id_of(int fd) noexcept;

/// The lane file: reading and writing its parts, and the locks on its bytes.
///
/// One open file description carries both the data and the locks, so every process that shares the
/// descriptor (the guardian, forked from the supervisor) shares the locks. Writers hold the gate;
/// readers need not. Throws SystemError when the file cannot be used.
class Table {
 public:
  /// Opens `<directory>/lane`, creating it with `mode`. `slots` lets tests fill the table.
  Table(std::string directory, unsigned mode, std::size_t slots = kSlots);

  /// Opens an existing lane file, for reading only unless `access` is O_RDWR. nullopt with errno
  /// set when it does not exist or may not be opened: ELOOP for a symbolic link, EISDIR for a
  /// directory, EINVAL for anything else that is not a regular file. Opened for reading, locks can
  /// be queried but not taken.
  [[nodiscard]] static std::optional<Table> open_existing(const std::string& path,
                                                          int access = O_RDONLY);

  [[nodiscard]] const std::string& directory() const noexcept { return directory_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::string gate_path() const { return directory_ + "/gate"; }
  [[nodiscard]] int fd() const noexcept { return file_.get(); }
  [[nodiscard]] std::size_t slots() const noexcept { return slots_; }
  [[nodiscard]] const FileId& id() const noexcept { return id_; }
  /// True for a record written by a run in this very file.
  [[nodiscard]] bool is_own(const LastRun& record) const noexcept { return record.file == id_; }
  /// True for a file copied from another lane, until a ticket has taken a place in it: its content
  /// is about runs and processes of that lane.
  [[nodiscard]] bool is_copy(const Header& header) const noexcept {
    return header.file != FileId{} && header.file != id_;
  }
  /// False once the file was removed or replaced: our locks then exclude no other process.
  [[nodiscard]] bool is_current() const noexcept;

  [[nodiscard]] Header header() const;
  void write(Header header) const;
  /// Also returns a record that was written to the original of this copied file: see is_own().
  [[nodiscard]] LastRun last_run() const;
  void write(LastRun record) const;

  /// Entries of all slots that may be in use. `torn` is set when one failed its checksum (a reader
  /// without the gate met a writer, or the file was damaged).
  [[nodiscard]] std::vector<Entry> entries(std::size_t high, bool* torn = nullptr) const;
  /// The entries of all slots, for callers that must find a ticket behind a damaged header.
  [[nodiscard]] std::vector<Entry> entries() const;
  void write(std::size_t slot, Entry entry) const;
  /// nullopt when torn, damaged or of a ticket other than `sequence`.
  [[nodiscard]] std::optional<Detail> detail(std::size_t slot, std::uint64_t sequence) const;
  void write(std::size_t slot, Detail detail) const;

  /// Empty in a copy: the other lane owns them.
  [[nodiscard]] std::vector<Kept> kept() const;
  /// Replaces the list; if it is too long, the oldest entries are dropped.
  void write_kept(std::vector<Kept> list) const;
  /// All kLeftSlots places, blank where unused or damaged.
  [[nodiscard]] std::vector<Left> left() const;
  void write(std::size_t index, Left left) const;

  /// True while the owner of `slot` (another description than ours) lives.
  [[nodiscard]] bool is_alive(std::size_t slot) const;
  /// The same for each slot of `entries` that is not free. A few microseconds each with a thousand
  /// owners, since the kernel looks through all locks of the file.
  [[nodiscard]] std::vector<bool> are_alive(std::span<const Entry> entries) const;
  /// Tells all processes that wait for the lane or watch it to look again: those that watch the
  /// file (inotify IN_ATTRIB) at once, others when they next ask for rung_at(). Needs no gate.
  void ring() const noexcept;
  /// Changes with each ring.
  [[nodiscard]] std::int64_t rung_at() const noexcept;

 private:
  Table(std::string path, sys::FileDescriptor file, const FileId& id);

  std::string directory_;
  std::string path_;
  sys::FileDescriptor file_;
  FileId id_;
  std::size_t slots_;
};

/// Locked while the owner of the slot lives.
[[nodiscard]] inline off_t slot_byte(std::size_t slot) noexcept {
  return kSlotBytes + static_cast<off_t>(slot + 1) * kSlotWidth - 1;
}
/// Locked by a ticket while others may wait for it: not while it is parked, nor as a service.
[[nodiscard]] inline off_t ticket_byte(std::size_t slot, std::uint64_t sequence) noexcept {
  return kSlotBytes + static_cast<off_t>(slot) * kSlotWidth +
         static_cast<off_t>(sequence % static_cast<std::uint64_t>(kSlotWidth - 1));
}

/// True when the last run of this lane has no process left to clear away after it: its record is
/// open, written to this very file in this boot, and its supervisor is dead. A guardian that is
/// still clearing away holds the lane byte, which must be checked separately.
[[nodiscard]] bool was_killed(const Table& table, const LastRun& last);

/// The ticket that is granted or running, alive or not; without one, the first that started beside
/// a holder that is gone. nullopt when the lane is free.
[[nodiscard]] std::optional<std::size_t> current_slot(std::span<const Entry> entries);

/// The living processes that a run has recorded as being in the background.
[[nodiscard]] std::vector<Kept> background_of(const Table& table, const RunId& run_id);

/// Waiting tickets in the order in which they will be granted.
[[nodiscard]] std::vector<std::size_t> waiting_order(std::span<const Entry> entries);

/// The waiting ticket just before the waiting ticket `slot` in that order; nullopt for the first.
[[nodiscard]] std::optional<std::size_t> predecessor_of(std::span<const Entry> entries,
                                                        std::size_t slot);

}  // namespace onelane::lane
