#pragma once

#include <fcntl.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/lane/record.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::lane {

/// A ticket that later ones have overtaken this often goes first, whatever its priority.
inline constexpr std::uint8_t kOvertakeCap = 16;

/// Opens a file of the lane for reading and writing; makes it with exactly `mode`, and as
/// root with the owner of `directory`, so that whoever came first locks nobody out. Never
/// blocks on a FIFO. Throws SystemError, for what is no regular file too.
[[nodiscard]] sys::FileDescriptor open_shared(const std::string& path, const std::string& directory,
                                              unsigned mode);

/// Of an open file; zero when it cannot be asked.
[[nodiscard]] FileId file_id_of(int fd) noexcept;

/// The lane file: reading and writing its parts, and the locks on its bytes.
///
/// One open file description carries both the data and the locks, so whoever shares the
/// descriptor (the guardian, forked from the supervisor) shares the locks. Writers hold
/// the gate; readers need not. Throws SystemError where the file cannot be used.
class Table {
 public:
  /// Opens `<directory>/lane`, creating it with `mode`. `slots` is for tests of a full table.
  Table(std::string directory, unsigned mode, std::size_t slots = kSlots);

  /// Opens an existing lane file, for reading only unless `access` is O_RDWR; nothing when there is
  /// none or it may not be; errno then says which: ELOOP for a symbolic link, EISDIR for a
  /// directory, EINVAL for what else is no regular file. Without writing, locks may be asked for,
  /// not taken.
  [[nodiscard]] static std::optional<Table> open_existing(const std::string& path,
                                                          int access = O_RDONLY);

  [[nodiscard]] const std::string& directory() const noexcept { return directory_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::string gate_path() const { return directory_ + "/gate"; }
  [[nodiscard]] int fd() const noexcept { return file_.get(); }
  [[nodiscard]] std::size_t slots() const noexcept { return slots_; }
  [[nodiscard]] const FileId& id() const noexcept { return id_; }
  /// True for a record that a run in this very file has written.
  [[nodiscard]] bool is_own(const LastRun& record) const noexcept { return record.file == id_; }
  /// True for a file that was copied from another lane, until a ticket has taken a place in it:
  /// whatever it says is about runs and processes of that lane.
  [[nodiscard]] bool is_copy(const Header& header) const noexcept {
    return header.file != FileId{} && header.file != id_;
  }
  /// False once the file was removed or replaced: then our locks exclude nobody any more.
  [[nodiscard]] bool is_current() const noexcept;

  [[nodiscard]] Header header() const;
  void write(Header header) const;
  /// What was written to another file, which this one is a copy of, counts as well: see is_own().
  [[nodiscard]] LastRun last_run() const;
  void write(LastRun record) const;

  /// Entries of all slots that may be in use. `torn` is set where one failed its checksum
  /// (a reader without the gate met a writer, or the file was damaged).
  [[nodiscard]] std::vector<Entry> entries(std::size_t high, bool* torn = nullptr) const;
  /// The same for whoever must find a ticket behind a damaged header: all slots then.
  [[nodiscard]] std::vector<Entry> entries() const;
  void write(std::size_t slot, Entry entry) const;
  /// Nothing when torn, damaged or of another ticket than `sequence`.
  [[nodiscard]] std::optional<Detail> detail(std::size_t slot, std::uint64_t sequence) const;
  void write(std::size_t slot, Detail detail) const;

  /// Empty in a copy: the other lane keeps them.
  [[nodiscard]] std::vector<Kept> kept() const;
  /// Replaces the list; what does not fit is dropped, oldest first.
  void write_kept(std::vector<Kept> list) const;
  /// All kLeftSlots of them, blank where unused or damaged.
  [[nodiscard]] std::vector<Left> left() const;
  void write(std::size_t index, Left left) const;

  /// True while the owner of `slot` (another description than ours) lives.
  [[nodiscard]] bool is_alive(std::size_t slot) const;
  /// Tells everybody who watches the file (inotify IN_ATTRIB) to look again.
  void ring() const noexcept;

 private:
  Table(std::string path, sys::FileDescriptor file, const FileId& id);

  std::string directory_;
  std::string path_;
  sys::FileDescriptor file_;
  FileId id_;
  std::size_t slots_;
};

[[nodiscard]] inline off_t slot_byte(std::size_t slot) noexcept {
  return kSlotBytes + static_cast<off_t>(slot);
}

/// True for the last run of this lane where no process is left to clear away after it: its record
/// is open, of this very file and this boot, and its supervisor is dead. A guardian that still
/// clears away has the lane byte, which is to be asked for by itself.
[[nodiscard]] bool was_killed(const Table& table, const LastRun& last);

/// The ticket that is granted or runs, live or not; without one the first that started
/// beside a holder that is gone. Nothing when the lane is free.
[[nodiscard]] std::optional<std::size_t> current_slot(std::span<const Entry> entries);

/// The living processes that a run has written down as being in the background.
[[nodiscard]] std::vector<Kept> background_of(const Table& table, const RunId& run_id);

/// Waiting tickets in the order in which they will be granted.
[[nodiscard]] std::vector<std::size_t> waiting_order(std::span<const Entry> entries);

}  // namespace onelane::lane
