#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "core/tool/find.hpp"

namespace onelane::tool {
namespace {

namespace fs = std::filesystem;

class NoteTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "onelane-note-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { fs::remove_all(dir_); }

  [[nodiscard]] std::string file(const std::string& content) const {
    std::ofstream{dir_ / "file", std::ios::binary} << content;
    return dir_ / "file";
  }
  [[nodiscard]] static std::string ourselves() {
    std::ifstream in{"/proc/self/exe", std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  fs::path dir_;
};

/// An ELF header, one note segment at `offset`, and the notes.
std::string elf_with_notes(std::size_t offset, const std::string& notes) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_NOTE;
  segment.p_offset = offset;
  segment.p_filesz = notes.size();
  std::string out(offset + notes.size(), '\0');
  std::memcpy(out.data(), &header, sizeof header);
  std::memcpy(out.data() + sizeof header, &segment, sizeof segment);
  std::memcpy(out.data() + offset, notes.data(), notes.size());
  return out;
}

std::string note(const std::string& owner, const std::string& description, std::uint32_t type = 1) {
  const Elf64_Nhdr header{static_cast<std::uint32_t>(owner.size() + 1),
                          static_cast<std::uint32_t>(description.size()), type};
  std::string out(sizeof header, '\0');
  std::memcpy(out.data(), &header, sizeof header);
  out.append(owner).append(1, '\0');
  out.resize((out.size() + 3) / 4 * 4);
  out.append(description);
  out.resize((out.size() + 3) / 4 * 4);
  return out;
}

TEST_F(NoteTest, WeCarryIt) {
  EXPECT_TRUE(is_onelane("/proc/self/exe"));
}

TEST_F(NoteTest, ACopyAndALongerBuildCarryIt) {
  EXPECT_TRUE(is_onelane(file(ourselves()).c_str()));
  EXPECT_TRUE(is_onelane(file(ourselves() + "another build").c_str()));
}

TEST_F(NoteTest, ADescriptorKeepsItsOffset) {
  const int fd = ::open(file(ourselves()).c_str(), O_RDONLY | O_CLOEXEC);
  EXPECT_TRUE(is_onelane(fd));
  EXPECT_EQ(::lseek(fd, 0, SEEK_CUR), 0);
  ::close(fd);
}

TEST_F(NoteTest, OtherExecutablesDoNot) {
  EXPECT_FALSE(is_onelane("/bin/sh"));
  EXPECT_FALSE(is_onelane(file("#!/bin/sh\necho onelane\n").c_str()));
  EXPECT_FALSE(is_onelane(file("").c_str()));
  EXPECT_FALSE(is_onelane(file("\177ELF").c_str()));
  EXPECT_FALSE(is_onelane(dir_.c_str()));
  EXPECT_FALSE(is_onelane((dir_ / "missing").c_str()));
}

TEST_F(NoteTest, ItIsFoundAfterOtherNotesAndBeyondTheFirstPage) {
  const std::string notes = note("GNU", "12345") + note("onelane", "v");
  EXPECT_TRUE(is_onelane(file(elf_with_notes(512, notes)).c_str()));
  EXPECT_TRUE(is_onelane(file(elf_with_notes(9000, notes)).c_str()));
  EXPECT_TRUE(is_onelane(file(elf_with_notes(4090, notes)).c_str()));
}

TEST_F(NoteTest, AnotherOwnerOrTypeIsNotOurs) {
  EXPECT_FALSE(is_onelane(file(elf_with_notes(512, note("onelan", "v"))).c_str()));
  EXPECT_FALSE(is_onelane(file(elf_with_notes(512, note("onelanes", "v"))).c_str()));
  EXPECT_FALSE(is_onelane(file(elf_with_notes(512, note("onelane", "v", 2))).c_str()));
}

TEST_F(NoteTest, SizesThatPointOutsideTheFileAreHarmless) {
  std::string huge = note("GNU", "x");
  huge[0] = huge[1] = huge[2] = huge[3] = '\xff';
  EXPECT_FALSE(is_onelane(file(elf_with_notes(512, huge + note("onelane", "v"))).c_str()));
  std::string cut = elf_with_notes(9000, note("onelane", "v"));
  cut.resize(9010);
  EXPECT_FALSE(is_onelane(file(cut).c_str()));
  std::string header = elf_with_notes(512, note("onelane", "v"));
  for (std::size_t at = offsetof(Elf64_Ehdr, e_phoff); at < offsetof(Elf64_Ehdr, e_shoff); ++at) {
    header[at] = '\xff';
  }
  EXPECT_FALSE(is_onelane(file(header).c_str()));
}

}  // namespace
}  // namespace onelane::tool
