#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/lane/table.hpp"

namespace onelane::lane {

/// Who asks, in words for people and for the cycle search.
struct TicketInfo {
  std::string tool;
  std::string command;
  std::string directory;
  std::string terminal;
  std::string agent;         ///< Coding agent or CI, empty for a person.
  std::string until;         ///< When it gives the lane back before its end; empty: it does not.
  bool may_prompt = false;   ///< May sit in an editor or prompt.
  bool reads_input = false;  ///< Its work comes from its standard input.
  int priority = 0;
  /// What is asked for, in one number: a caller that was killed while it waited and asks for the
  /// same gets its place back (left.hpp).
  std::uint32_t rejoin_key = 0;
  /// What a call is, in one number: of two with the same one that wait, one may take the other's
  /// result. 0: like no other.
  std::uint64_t call_key = 0;
  std::chrono::milliseconds rejoin{0};     ///< For how long such a place stays; 0: not at all.
  std::array<std::uint64_t, 8> context{};  ///< Goes into LastRun while this ticket runs.
};

/// What a new ticket of the calling process has in the table: its entry, with a fresh run id, and
/// what is shown of it.
[[nodiscard]] Entry make_entry(const TicketInfo& info);
[[nodiscard]] Detail make_detail(const TicketInfo& info);

/// With the gate held: makes the file this lane's. What a copied one says of tickets, places and
/// kept processes is about those of another lane, which go on there.
void own_file(const Table& table, Header& header, std::vector<Entry>& entries);

}  // namespace onelane::lane
