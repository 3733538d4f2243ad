#include "multicall/view/project_view.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "multicall/context/limits.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kBetweenOrphans{5};
constexpr const char* kLaneFiles[] = {"/lane", "/git/lane"};

process::OrphanRules rules_of(const LanesHere& lanes, const RunBook& book) {
  process::OrphanRules rules = orphan_rules(&lanes, book);
  // Only this project's runs are wanted, and its own lanes know all of them that are live.
  rules.live_runs = [&lanes] { return live_runs_of(lanes); };
  return rules;
}

/// Rows with the same source as one line: "memory_limit_mb=2048, max_processes=512  (built-in)".
std::string limit_lines(const std::vector<settings::Row>& rows) {
  std::vector<std::pair<std::string, std::string>> by_source;
  for (const settings::Row& row : rows) {
    if (row.value == "0" || row.value.empty()) {
      continue;  // none
    }
    auto at = std::ranges::find(by_source, row.source, &std::pair<std::string, std::string>::first);
    if (at == by_source.end()) {
      at = by_source.insert(at, {row.source, ""});
    }
    at->second += (at->second.empty() ? "" : ", ") + row.name + "=" + row.value;
  }
  std::string text;
  for (const auto& [source, values] : by_source) {
    text += (text.empty() ? "limits:  " : "         ") + values + "  (" + source + ")\n";
  }
  return text;
}

std::string orphan_lines(const std::vector<OrphanRow>& rows, const Paint& paint) {
  constexpr std::size_t kMost = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(rows.size(), kMost); ++i) {
    const OrphanRow& row = rows[i];
    text += fmt::format("orphan:  {}  (pid {}, run {}, for {}, {})\n",
                        paint.red(for_terminal(row.command)), row.id.pid, for_terminal(row.run_id),
                        duration_words(row.age), size_words(row.memory_kb << 10U));
  }
  return rows.empty()
             ? text
             : text +
                   (rows.size() > kMost
                        ? fmt::format("         and {} more; `onelane orphans --kill` ends them\n",
                                      rows.size() - kMost)
                        : "         `onelane orphans --kill` ends them\n");
}

std::string heading(const std::string& name, const std::string& directory) {
  return "lane:    " + for_terminal(name) + "  (" + for_terminal(directory, 4096) + ")\n";
}

}  // namespace

ProjectWatch::ProjectWatch(LanesHere lanes)
    : lanes_{std::move(lanes)},
      book_{run_book(lanes_)},
      watch_{rules_of(lanes_, book_)},
      usual_{lanes_.project.state_dir} {
  if (lanes_.unreadable) {  // not free: an error, never shown as a lane without a holder
    throw sys::SystemError{*lanes_.unreadable};
  }
}

bool ProjectWatch::is_current() const {
  const auto is_there = [this](const char* name) {
    return ::access((lanes_.project.state_dir + name).c_str(), F_OK) == 0;
  };
  return std::ranges::all_of(lanes_.tables, &lane::Table::is_current) &&
         static_cast<std::size_t>(std::ranges::count_if(kLaneFiles, is_there)) ==
             lanes_.tables.size();
}

void ProjectWatch::look_for_orphans() {
  const auto now = sys::monotonic_time();
  if (!looked_ || now - *looked_ >= kBetweenOrphans) {
    looked_ = now;
    orphans_ = orphan_rows(watch_.scan(), &lanes_, book_).orphans;
  }
}

ProjectView ProjectWatch::look() {
  ProjectView view;
  view.root = lanes_.project.root;
  view.name = lanes_.project.name;
  view.state_dir = lanes_.project.state_dir;
  std::string holders;
  for (const lane::Table& table : lanes_.tables) {
    holders += lane::view(table.last_run().run_id);
  }
  if (holders != holders_) {
    usual_ = journal::Usual{lanes_.project.state_dir};
    holders_ = std::move(holders);
  }
  for (const lane::Table& table : lanes_.tables) {
    const bool is_git = table.directory() != lanes_.project.state_dir;
    (is_git ? view.git.emplace() : view.lane) = view_of(table, &usual_);
  }
  look_for_orphans();
  view.orphans = orphans_;
  view.limits = limits_in_force(lanes_.settings);
  return view;
}

json json_of(const ProjectView& view) {
  json out = json_of(view.lane);
  out["schema"] = 1;
  out["project"] = for_terminal(view.root, 4096);
  out["name"] = for_terminal(view.name);
  out["lane"] = for_terminal(view.state_dir, 4096);
  out["orphans"] = json_of(view.orphans);
  json limits = json::object();
  for (const settings::Row& row : view.limits) {
    limits[row.name] = {{"value", row.value}, {"source", row.source}};
  }
  out["limits"] = std::move(limits);
  if (view.git) {
    out["git_lane"] = json_of(*view.git);
    out["git_lane"]["lane"] = for_terminal(view.state_dir, 4096) + "/git";
  }
  return out;
}

std::string text_of(const ProjectView& view, const Paint& paint) {
  std::string text = heading(view.name, view.state_dir) + text_of(view.lane, paint);
  if (view.git) {
    text += heading(view.name + " (git)", view.state_dir + "/git") + text_of(*view.git, paint);
  }
  return text + orphan_lines(view.orphans, paint) + limit_lines(view.limits);
}

}  // namespace onelane::multicall
