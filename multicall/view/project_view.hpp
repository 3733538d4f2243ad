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

/// Everything `onelane status` shows of a project at one moment.
struct ProjectView {
  std::string root;
  std::string name;
  std::string state_dir;
  LaneView lane;
  std::optional<LaneView> git;  ///< With `lanes = "split"`, once it has been used.
  std::vector<OrphanRow> orphans;
  std::vector<settings::Row> limits;  ///< Those of a shim called here.
};

/// Looks at a project again and again without reading everything each time. Takes no lock and
/// waits for nobody.
class ProjectWatch {
 public:
  /// Throws SystemError when a lane file is there but not readable.
  explicit ProjectWatch(LanesHere lanes);
  ProjectWatch(const ProjectWatch&) = delete;
  ProjectWatch& operator=(const ProjectWatch&) = delete;

  /// The lanes; orphans are looked for every five seconds, durations read anew when the holder has
  /// changed. `use` of the runs is left out (measure()).
  [[nodiscard]] ProjectView look();
  /// False when a lane file was removed, replaced or has come into being: begin anew.
  [[nodiscard]] bool is_current() const;
  [[nodiscard]] const std::string& state_dir() const { return lanes_.project.state_dir; }

 private:
  void look_for_orphans();

  LanesHere lanes_;
  RunBook book_;
  process::OrphanWatch watch_;
  std::vector<OrphanRow> orphans_;
  std::optional<std::chrono::nanoseconds> looked_;  ///< For orphans; monotonic.
  journal::Usual usual_;
  std::string holders_;  ///< The runs that held the lanes when `usual_` was new.
};

/// One object, as tests/schema/status.json describes it.
[[nodiscard]] nlohmann::json json_of(const ProjectView& view);

/// Several lines for people, safe for a terminal.
[[nodiscard]] std::string text_of(const ProjectView& view, const Paint& paint);

}  // namespace onelane::multicall
