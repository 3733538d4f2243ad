#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/journal/record.hpp"
#include "core/sys/text.hpp"
#include "multicall/report/job_summary.hpp"
#include "multicall/view/overview.hpp"
#include "multicall/view/run_view.hpp"
#include "tests/fuzz/lane_file.hpp"

namespace {

using namespace onelane;

/// Every line is as it would be made fit for a terminal: printable UTF-8 that shows what it says.
void expect_printable(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (sys::printable(line, std::string_view::npos) != line) {
      std::fprintf(stderr, "%s\n", sys::printable(line, 1000).c_str());
      std::abort();
    }
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
}

const multicall::Paint& no_colours() {
  static const multicall::Paint paint{1, multicall::Paint::When::Never};
  return paint;
}

/// What status says of a lane.
void look_at_lane(const std::uint8_t* data, std::size_t size) {
  static const fuzz::LaneFile file;
  file.write(data, size);
  const lane::Table table = file.open();
  expect_printable(multicall::text_of(multicall::view_of(table, nullptr), no_colours()));
  const auto entries = table.entries();
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    if (entries[slot].sequence == 0) {
      continue;
    }
    const auto detail = table.detail(slot, entries[slot].sequence);
    multicall::TicketView ticket;
    ticket.id = lane::view(entries[slot].run_id);
    ticket.state = slot % 2 == 0 ? lane::State::Running : lane::State::Waiting;
    ticket.is_here = false;
    if (detail) {
      ticket.tool = detail->tool.data();
      ticket.command = detail->command.data();
      ticket.directory = detail->directory.data();
      ticket.terminal = detail->terminal.data();
      ticket.agent = detail->agent.data();
      ticket.until = detail->until.data();
      ticket.may_prompt = detail->may_prompt != 0;
    }
    expect_printable(multicall::line_of(ticket, no_colours()));
    expect_printable(multicall::figures_of(ticket, no_colours()));
  }
}

/// What lists, reports and annotations say of a run.
void look_at_journal(std::string_view line) {
  const auto record = journal::parse(line);
  if (!record) {
    return;
  }
  expect_printable(record->id);
  expect_printable(record->joined);
  expect_printable(journal::command_text(*record, 256));
  multicall::History history;
  history.name = record->project;
  history.runs = {*record};
  history.figures = multicall::figures_of(history.runs);
  expect_printable(multicall::text_of(history));
  expect_printable(multicall::markdown_of(history));
  expect_printable(multicall::annotations_of(history));
  const multicall::RunView run = multicall::view_of(*record);
  expect_printable(run.record.id);
  expect_printable(run.command);
  expect_printable(multicall::outcome_of(run));
  expect_printable(multicall::ending_of(run.record));
  expect_printable(multicall::took_words(run.record));
  expect_printable(multicall::json_text_of(run));
}

}  // namespace

/// What others have written into a lane file (with checksums that are right) or a journal comes out
/// printable. The first byte chooses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0 && data[0] % 2 == 0) {
    look_at_lane(data + 1, size - 1);
  } else if (size > 0) {
    // Of a line that is none nothing is shown: most begin as one.
    std::string line = data[0] % 4 == 1 ? R"({"schema":1,"id":"abcdefghijk")" : "";
    line.append(reinterpret_cast<const char*>(data + 1), size - 1);
    look_at_journal(line);
  }
  return 0;
}
