#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "multicall/context/lanes_here.hpp"
#include "multicall/view/orphan_rows.hpp"
#include "multicall/view/overview.hpp"

namespace onelane::multicall {

/// Everything that `onelane status` shows of a project at one moment.
struct ProjectView {
  std::string root;
  std::string name;
  std::string state_dir;
  LaneView lane;
  std::optional<LaneView> git;  ///< Only with `lanes = "split"`, once that lane has been used.
  std::vector<OrphanRow> orphans;
  std::vector<settings::Row> limits;  ///< The limits of a shim called here.
};

/// Looks at a project repeatedly without reading everything each time. Takes no lock and never
/// waits for a run.
class ProjectWatch {
 public:
  /// Throws SystemError when a lane file exists but is not readable.
  explicit ProjectWatch(LanesHere lanes);
  ProjectWatch(const ProjectWatch&) = delete;
  ProjectWatch& operator=(const ProjectWatch&) = delete;

  /// Reads the lanes. Looks for orphans every five seconds, and reads durations again when the
  /// holder has changed. Does not fill `use` of the runs: see measure().
  [[nodiscard]] ProjectView look();
  /// False when a lane file was removed, replaced or created: make a new object.
  [[nodiscard]] bool is_current() const;
  [[nodiscard]] const std::string& state_dir() const { return lanes_.project.state_dir; }

 private:
  void look_for_orphans();

  LanesHere lanes_;
  RunBook book_;
  process::OrphanWatch watch_;
  std::vector<OrphanRow> orphans_;
  std::optional<std::chrono::nanoseconds> looked_;  ///< When it last looked for orphans; monotonic.
  journal::Usual usual_;
  std::string holders_;  ///< The runs that held the lanes when `usual_` was read.
};

/// One object as described in tests/schema/status.json.
[[nodiscard]] nlohmann::json json_of(const ProjectView& view);

/// Several lines for people, safe for a terminal.
[[nodiscard]] std::string text_of(const ProjectView& view, const Paint& paint);

}  // namespace onelane::multicall
