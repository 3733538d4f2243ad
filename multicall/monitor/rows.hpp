#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "multicall/monitor/look.hpp"
#include "multicall/monitor/text.hpp"

namespace onelane::multicall::monitor {

enum class Sort : std::uint8_t { Start, Memory, Cpu, Age };
[[nodiscard]] std::string_view name_of(Sort sort) noexcept;

/// What the user has chosen to see.
struct Choice {
  Sort sort = Sort::Start;
  bool as_tree = true;   ///< Otherwise one list, sorted as a whole.
  std::string filter;    ///< Part of a command, ignoring case; empty for all.
  std::string selected;  ///< Key of a row; empty for none.
};

/// The width and the characters to draw with.
struct Paper {
  std::size_t columns = 80;
  bool unicode = false;
};

/// One line of a list. A row that can be selected has a key that stays the same from look to look.
struct Row {
  std::string key;  ///< "ticket ID" or "process PID START"; empty if it cannot be selected.
  Line line;
};

struct Section {
  enum class Kind : std::uint8_t { Beside, Queue, Processes, Services, Kept, Recent };
  Kind kind = Kind::Queue;
  Line title;
  std::vector<Row> rows;
};

/// The lists of the monitor, in order; a list without rows is left out.
[[nodiscard]] std::vector<Section> sections_of(const Look& look, const Choice& choice,
                                               const Paper& paper);

/// The id of the ticket that a row's key names; empty for other rows.
[[nodiscard]] std::string ticket_of(std::string_view key);

/// Who asked: user, terminal, agent.
[[nodiscard]] std::string who(const TicketView& ticket);

/// A process and the branch drawn before its command.
struct Branch {
  const ProcessLook* process = nullptr;
  std::string prefix;
};

/// `processes` (parents before children) as `choice` asks. In a tree, siblings are sorted and a
/// filtered process keeps its ancestors; in a list, all are sorted. Borrows the processes.
[[nodiscard]] std::vector<Branch> branches_of(const std::vector<ProcessLook>& processes,
                                              const Choice& choice, bool unicode);

/// True when `text` contains `part`, ignoring the case of ASCII letters; always for an empty part.
[[nodiscard]] bool has_part(std::string_view text, std::string_view part);

}  // namespace onelane::multicall::monitor
