#include "multicall/doctor/file_system.hpp"

#include <algorithm>
#include <array>

namespace onelane::multicall::doctor {
namespace {

struct Row {
  unsigned long magic;
  FileSystem system;
};

/// linux/magic.h and the file systems' own sources.
constexpr auto kRows = std::to_array<Row>({
    {0x6969, {"nfs", Place::Network}},          {0x517b, {"smb", Place::Network}},
    {0xff534d42, {"cifs", Place::Network}},     {0xfe534d42, {"smb2", Place::Network}},
    {0x5346414f, {"afs", Place::Network}},      {0x73757245, {"coda", Place::Network}},
    {0x00c36400, {"ceph", Place::Network}},     {0x0bd00bd0, {"lustre", Place::Network}},
    {0x47504653, {"gpfs", Place::Network}},     {0x01161970, {"gfs2", Place::Network}},
    {0x7461636f, {"ocfs2", Place::Network}},    {0x01021997, {"9p", Place::Shared}},
    {0x65735546, {"fuse", Place::Shared}},      {0x786f4256, {"vboxsf", Place::Shared}},
    {0xbacbacbc, {"vmhgfs", Place::Shared}},    {0x7c7c6673, {"prl_fs", Place::Shared}},
    {0x6a656a63, {"fakeowner", Place::Shared}}, {0x794c7630, {"overlay", Place::Layered}},
    {0x61756673, {"aufs", Place::Layered}},
});

}  // namespace

FileSystem file_system_of(long magic) noexcept {
  // A 32-bit number that some callers pass sign-extended.
  const unsigned long wanted = static_cast<unsigned long>(magic) & 0xffffffffUL;
  const auto* row = std::ranges::find(kRows, wanted, &Row::magic);
  return row == kRows.end() ? FileSystem{} : row->system;
}

std::string_view meaning_of(Place place) noexcept {
  switch (place) {
    case Place::Local:
      return "";
    case Place::Network:
      return "other machines share it, and onelane serves one";
    case Place::Shared:
      return "a host or another program shares it, which may not see these locks";
    case Place::Layered:
      return "it is private to this container: calls from outside are not in this lane";
  }
  return "";
}

Room room_of(unsigned long long bytes, unsigned long long inodes,
             unsigned long long all_inodes) noexcept {
  constexpr unsigned long long kMebibyte = 1ULL << 20U;
  if (bytes < 2 * kMebibyte || (all_inodes != 0 && inodes == 0)) {
    return Room::None;
  }
  return bytes < 100 * kMebibyte || (all_inodes != 0 && inodes < 100) ? Room::Little : Room::Enough;
}

}  // namespace onelane::multicall::doctor
