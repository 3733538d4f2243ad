#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "tests/support/hog.hpp"

// Verbs that take memory, one megabyte per mapping, so that each can be given back by itself.
namespace hog {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;
std::array<char*, kMostMegabytes> blocks;
std::size_t taken = 0;                      ///< Blocks in use.
volatile std::uint64_t* counter = nullptr;  ///< The file of `count`.

void publish() {
  if (counter != nullptr) {
    *counter = taken * kMegabyte;
  }
}

void take_one() {
  void* const block =
      ::mmap(nullptr, kMegabyte, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) {
    give_up("mmap");
  }
  std::memset(block, 1, kMegabyte);
  blocks[taken++] = static_cast<char*>(block);
  publish();
}

/// Reads one byte of each page, so that all are resident.
void touch(const char* begin, std::size_t size) {
  volatile unsigned sum = 0;
  for (std::size_t at = 0; at < size; at += 4096) {
    sum = sum + static_cast<unsigned char>(begin[at]);
  }
}

}  // namespace

void do_count(Script& s) {
  const char* path = s.next();
  const int fd = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ::ftruncate(fd, sizeof *counter) != 0) {
    give_up(path);
  }
  void* const at = ::mmap(nullptr, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) {
    give_up(path);
  }
  counter = static_cast<volatile std::uint64_t*>(at);
  ::close(fd);
}

void do_leak(Script& s) {
  const auto rate = std::max(1L, s.number());
  const std::size_t wanted = std::min(static_cast<std::size_t>(s.number()), kMostMegabytes);
  const std::int64_t began = now();
  for (std::int64_t done = 0; taken < wanted; ++done) {
    const std::int64_t due = began + done * 1'000'000'000 / rate;
    while (now() < due) {
      sleep_ms(1);
    }
    take_one();
    if (rate >= 100 ? done % 100 == 0 : done % 10 == 0) {
      char text[32];
      std::snprintf(text, sizeof text, "taken %zu", taken);
      trace(text);
    }
  }
}

void do_burst(Script& s) {
  const std::size_t wanted = std::min(static_cast<std::size_t>(s.number()), kMostMegabytes);
  while (taken < wanted) {
    take_one();
  }
}

void do_release(Script& s) {
  const auto wanted = static_cast<std::size_t>(s.number());
  while (taken > wanted) {
    ::munmap(blocks[--taken], kMegabyte);
  }
  publish();
}

void do_dirty(Script&) {
  for (std::size_t i = 0; i < taken; ++i) {
    std::memset(blocks[i], 2, kMegabyte);
  }
}

void do_reserve(Script& s) {
  const auto size = static_cast<std::size_t>(s.number()) * kMegabyte;
  if (::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
             0) == MAP_FAILED) {
    give_up("mmap");
  }
}

void do_map(Script& s) {
  const char* path = s.next();
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (fd < 0 || ::fstat(fd, &info) != 0) {
    give_up(path);
  }
  const auto size = std::min(static_cast<std::size_t>(info.st_size), kMostMegabytes * kMegabyte);
  void* const at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (at == MAP_FAILED) {
    give_up(path);
  }
  touch(static_cast<const char*>(at), size);
  ::close(fd);
}

void do_shm(Script& s) {
  const auto size = std::min(static_cast<std::size_t>(s.number()), kMostMegabytes) * kMegabyte;
  char path[64];
  std::snprintf(path, sizeof path, "/dev/shm/hog-%d", ::getpid());
  const int fd = ::open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    give_up(path);
  }
  ::unlink(path);  // freed with the last process, however that ends
  if (::ftruncate(fd, static_cast<off_t>(size)) != 0) {
    give_up(path);
  }
  void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) {
    give_up(path);
  }
  std::memset(at, 1, size);
  ::close(fd);
}

}  // namespace hog
