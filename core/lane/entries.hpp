#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/lane/table.hpp"

namespace onelane::lane {

/// Describes a call, for users and for the cycle search.
struct TicketInfo {
  std::string tool;
  std::string command;
  std::string directory;
  std::string terminal;
  std::string agent;         ///< Coding agent or CI, empty for a person.
  std::string until;         ///< When it gives the lane back before its end; empty if it does not.
  bool may_prompt = false;   ///< May open an editor or a prompt.
  bool reads_input = false;  ///< Its work comes from its standard input.
  int priority = 0;
  /// Hash of the request: a call that was killed while it waited and makes the same request again
  /// gets its place back (left.hpp).
  std::uint32_t rejoin_key = 0;
  /// Hash of the call: of two waiting calls with the same key, one may take the other's result. 0:
  /// matches no other call.
  std::uint64_t call_key = 0;
  std::chrono::milliseconds rejoin{0};     ///< How long such a place is kept; 0: not at all.
  std::array<std::uint64_t, 8> context{};  ///< Copied to LastRun while this ticket runs.
};

/// Makes the table's parts for a new ticket of the calling process: its entry, with a fresh run id,
/// and the detail shown to users.
[[nodiscard]] Entry make_entry(const TicketInfo& info);
[[nodiscard]] Detail make_detail(const TicketInfo& info);

/// Call with the gate held. Makes a copied file this lane's own: the tickets, places and kept
/// processes it lists belong to the lane it was copied from, and are removed here.
void own_file(const Table& table, Header& header, std::vector<Entry>& entries);

}  // namespace onelane::lane
