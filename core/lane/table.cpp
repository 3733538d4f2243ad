#include "core/lane/table.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <tuple>
#include <utility>

#include "core/sys/byte_lock.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "core/sys/hash.hpp"

namespace onelane::lane {
namespace {

/// Over everything behind the checksum field; 0 is kept for "never written".
template <class Part>
std::uint32_t checksum_of(const Part& part) noexcept {
  const auto hash = sys::checksum_of(sys::bytes_of(part).substr(sizeof part.checksum));
  return hash == 0 ? 1 : hash;
}

long read_at(int fd, void* out, std::size_t size, off_t at) noexcept {
  for (;;) {
    const ssize_t got = ::pread(fd, out, size, at);
    if (got >= 0 || errno != EINTR) {
      return got;
    }
  }
}

// Terminates every text inside its field, whatever was written: readers take them for C strings.
template <std::size_t... N>
void end_texts(std::array<char, N>&... texts) noexcept {
  ((texts.back() = '\0'), ...);
}
void end_texts(Header& header) noexcept {
  end_texts(header.held_reason);
}
/// An id is displayed, compared and searched for in the environments of other processes, so an
/// invalid one is cleared.
void end_id(RunId& id) noexcept {
  end_texts(id);
  if (!sys::is_run_id(view(id))) {
    id = RunId{};
  }
}
void end_texts(LastRun& record) noexcept {
  end_id(record.run_id);
  end_id(record.ran);
}
void end_texts(Entry& entry) noexcept {
  end_id(entry.run_id);
}
void end_texts(Detail& detail) noexcept {
  end_texts(detail.tool, detail.terminal, detail.command, detail.directory, detail.agent,
            detail.ancestor_lanes, detail.until);
  std::ranges::for_each(detail.ancestors, &end_id);
  end_id(detail.pipeline_of);
}
void end_texts(Kept& kept) noexcept {
  end_id(kept.run_id);
  end_texts(kept.name);
}
void end_texts(Left& left) noexcept {
  end_id(left.run_id);
  end_texts(left.command);
}

template <class Part>
std::optional<Part> read_part(int fd, off_t at) {
  Part part;
  const long got = read_at(fd, &part, sizeof part, at);
  if (got < 0) {
    sys::throw_errno("read", "the lane file");
  }
  if (static_cast<std::size_t>(got) < sizeof part || part.checksum != checksum_of(part)) {
    return std::nullopt;
  }
  end_texts(part);
  return part;
}

template <class Part>
void write_part(int fd, off_t at, Part& part) {
  part.checksum = checksum_of(part);
  const ssize_t put = ::pwrite(fd, &part, sizeof part, at);
  if (put != static_cast<ssize_t>(sizeof part)) {
    throw sys::SystemError{put < 0 ? errno : ENOSPC, "write", "the lane file"};
  }
}

void expect_regular(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    sys::throw_errno("stat", path);
  }
  if (!S_ISREG(info.st_mode)) {
    throw sys::SystemError{
        EINVAL, "open",
        path + (S_ISFIFO(info.st_mode) ? ", which is a FIFO" : ", which is no file")};
  }
}

}  // namespace

RunId new_run_id() noexcept {
  std::array<unsigned char, 11> random{};
  if (::getrandom(random.data(), random.size(), GRND_NONBLOCK) !=
      static_cast<ssize_t>(random.size())) {
    const auto start = sys::self_id().start;  // early boot: pid and start time are unique
    const auto pid = static_cast<std::uint32_t>(::getpid());
    std::memcpy(random.data(), &pid, sizeof pid);
    std::memcpy(random.data() + sizeof pid, &start, 7);
  }
  RunId id{};
  for (std::size_t i = 0; i < random.size(); ++i) {
    id[i] = sys::kRunIdLetters[random[i] % sys::kRunIdLetters.size()];
  }
  return id;
}

Table::Table(std::string directory, unsigned mode, std::size_t slots)
    : directory_{std::move(directory)},
      path_{directory_ + "/lane"},
      file_{open_shared(path_, directory_, mode)},
      id_{file_id_of(file_.get())},
      slots_{slots} {}

Table::Table(std::string path, sys::FileDescriptor file, const FileId& id)
    : directory_{path.substr(0, path.rfind('/'))},
      path_{std::move(path)},
      file_{std::move(file)},
      id_{id},
      slots_{kSlots} {}

std::optional<Table> Table::open_existing(const std::string& path, int access) {
  auto file = sys::try_open_file(path.c_str(), access | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  if (!file.is_open()) {
    return std::nullopt;
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) {
    return std::nullopt;
  }
  if (!S_ISREG(info.st_mode)) {
    errno = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    return std::nullopt;
  }
  return Table{path, std::move(file), {info.st_dev, info.st_ino}};
}

bool Table::is_current() const noexcept {
  struct stat named {};
  return ::stat(path_.c_str(), &named) == 0 && id_ == FileId{named.st_dev, named.st_ino};
}

Header Table::header() const {
  auto header = read_part<Header>(fd(), 0);
  if (!header || header->magic != kMagic) {
    return Header{};
  }
  header->high = std::min(header->high, static_cast<std::uint32_t>(slots_));
  return *header;
}

void Table::write(Header header) const {
  write_part(fd(), 0, header);
}

LastRun Table::last_run() const {
  return read_part<LastRun>(fd(), kLastRunAt).value_or(LastRun{});
}

void Table::write(LastRun record) const {
  write_part(fd(), kLastRunAt, record);
}

std::vector<Entry> Table::entries(std::size_t high, bool* torn) const {
  std::vector<Entry> list(high);
  const long got = high == 0 ? 0 : read_at(fd(), list.data(), high * sizeof(Entry), kEntriesAt);
  if (got < 0) {
    sys::throw_errno("read", "the lane file");
  }
  const std::size_t whole = static_cast<std::size_t>(got) / sizeof(Entry);
  for (std::size_t i = 0; i < high; ++i) {
    const bool blank = i >= whole || (list[i].checksum == 0 && list[i].sequence == 0);
    if (blank || list[i].checksum != checksum_of(list[i])) {
      if (!blank && torn != nullptr) {
        *torn = true;
      }
      list[i] = Entry{};
    }
    end_texts(list[i]);
  }
  return list;
}

std::vector<Entry> Table::entries() const {
  const std::uint32_t high = header().high;
  return entries(high == 0 ? slots_ : high);
}

void Table::write(std::size_t slot, Entry entry) const {
  write_part(fd(), kEntriesAt + static_cast<off_t>(slot * sizeof(Entry)), entry);
}

std::optional<Detail> Table::detail(std::size_t slot, std::uint64_t sequence) const {
  auto detail = read_part<Detail>(fd(), kDetailsAt + static_cast<off_t>(slot * sizeof(Detail)));
  if (detail && detail->sequence != sequence) {
    return std::nullopt;
  }
  return detail;
}

void Table::write(std::size_t slot, Detail detail) const {
  write_part(fd(), kDetailsAt + static_cast<off_t>(slot * sizeof(Detail)), detail);
}

std::vector<Kept> Table::kept() const {
  std::vector<Kept> all(is_copy(header()) ? 0 : kKeptSlots);
  const long got = read_at(fd(), all.data(), all.size() * sizeof(Kept), kKeptAt);
  all.resize(got > 0 ? static_cast<std::size_t>(got) / sizeof(Kept) : 0);
  std::erase_if(all, [](const Kept& k) { return k.pid == 0 || k.checksum != checksum_of(k); });
  std::ranges::for_each(all, [](Kept& kept) { end_texts(kept); });
  return all;
}

void Table::write_kept(std::vector<Kept> list) const {
  if (list.size() > kKeptSlots) {
    list.erase(list.begin(), list.end() - static_cast<std::ptrdiff_t>(kKeptSlots));
  }
  list.resize(kKeptSlots);
  for (Kept& kept : list) {
    kept.checksum = checksum_of(kept);
  }
  const std::size_t size = list.size() * sizeof(Kept);
  if (::pwrite(fd(), list.data(), size, kKeptAt) != static_cast<ssize_t>(size)) {
    sys::throw_errno("write", "the lane file");
  }
}

std::vector<Left> Table::left() const {
  std::vector<Left> all(kLeftSlots);
  const long got = read_at(fd(), all.data(), all.size() * sizeof(Left), kLeftAt);
  const std::size_t whole = got > 0 ? static_cast<std::size_t>(got) / sizeof(Left) : 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = i < whole && all[i].checksum == checksum_of(all[i]) ? all[i] : Left{};
    end_texts(all[i]);
  }
  return all;
}

void Table::write(std::size_t index, Left left) const {
  write_part(fd(), kLeftAt + static_cast<off_t>(index * sizeof(Left)), left);
}

bool was_killed(const Table& table, const LastRun& last) {
  const bool is_ours = last.open != 0 && !view(last.run_id).empty() && table.is_own(last) &&
                       last.boot == static_cast<std::uint32_t>(sys::boot_id());
  if (!is_ours || last.pid_namespace != sys::pid_namespace()) {
    return is_ours;  // ours may not be looked up: only the lane byte can tell
  }
  const auto stat = sys::read_stat(last.supervisor_pid);
  const bool lives = stat && stat->id == sys::ProcessId{last.supervisor_pid, last.supervisor_start};
  // A process that is exiting has already released its locks.
  return !lives || stat->has_ended() || stat->is_exiting;
}

bool Table::is_alive(std::size_t slot) const {
  return sys::is_byte_locked(fd(), slot_byte(slot));
}

std::vector<bool> Table::are_alive(std::span<const Entry> entries) const {
  std::vector<bool> out(entries.size());
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    out[slot] = entries[slot].state != State::Free && is_alive(slot);
  }
  return out;
}

void Table::ring() const noexcept {
  const std::int64_t now = sys::boot_time().count();
  (void)!::pwrite(fd(), &now, sizeof now, kRungAt);
  (void)::futimens(fd(), nullptr);
}

std::int64_t Table::rung_at() const noexcept {
  std::int64_t at = 0;
  (void)read_at(fd(), &at, sizeof at, kRungAt);
  return at;
}

std::optional<std::size_t> current_slot(std::span<const Entry> entries) {
  std::optional<std::size_t> beside;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].state == State::Granted || holds_lane(entries[i].state)) {
      return i;
    }
    if (entries[i].state == State::Beside &&
        (!beside || entries[i].sequence < entries[*beside].sequence)) {
      beside = i;
    }
  }
  return beside;
}

std::vector<Kept> background_of(const Table& table, const RunId& run_id) {
  auto list = table.kept();
  std::erase_if(list, [&](const Kept& kept) {
    return kept.is_background == 0 || kept.run_id != run_id || !sys::exists({kept.pid, kept.start});
  });
  return list;
}

namespace {

/// The smaller, the sooner granted.
std::tuple<bool, int, std::uint64_t> rank_of(const Entry& entry) noexcept {
  const bool starved = entry.overtaken >= kOvertakeCap;
  return {!starved, starved ? 0 : -entry.priority, entry.sequence};
}

}  // namespace

std::vector<std::size_t> waiting_order(std::span<const Entry> entries) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].state == State::Waiting) {
      order.push_back(i);
    }
  }
  std::ranges::sort(order, {}, [&](std::size_t i) { return rank_of(entries[i]); });
  return order;
}

std::optional<std::size_t> predecessor_of(std::span<const Entry> entries, std::size_t slot) {
  const auto own = rank_of(entries[slot]);
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].state == State::Waiting && rank_of(entries[i]) < own &&
        (!best || rank_of(entries[*best]) < rank_of(entries[i]))) {
      best = i;
    }
  }
  return best;
}

FileId file_id_of(int fd) noexcept {
  struct stat info {};
  return ::fstat(fd, &info) == 0 ? FileId{info.st_dev, info.st_ino} : FileId{};
}

sys::FileDescriptor open_shared(const std::string& path, const std::string& directory,
                                unsigned mode) {
  // O_NONBLOCK: opening a planted FIFO or device must not hang us; it has no effect on a file.
  const int flags = O_RDWR | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
  for (;;) {
    auto file = sys::try_open_file(path.c_str(), flags);
    if (file.is_open()) {
      expect_regular(file.get(), path);
      return file;
    }
    if (errno != ENOENT) {
      return sys::open_file(path, flags);
    }
    file = sys::try_open_file(path.c_str(), flags | O_CREAT | O_EXCL, mode);
    if (file.is_open()) {
      struct stat owner {};
      (void)::fchmod(file.get(), mode);  // undoes the caller's umask
      if (::geteuid() == 0 && ::stat(directory.c_str(), &owner) == 0) {
        (void)!::fchown(file.get(), owner.st_uid, owner.st_gid);
      }
      return file;
    }
    if (errno != EEXIST) {
      return sys::open_file(path, flags | O_CREAT, mode);
    }
  }
}

}  // namespace onelane::lane
