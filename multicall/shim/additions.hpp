#pragma once

#include <array>
#include <string>
#include <vector>

#include "core/journal/record.hpp"
#include "core/process/judgement.hpp"
#include "core/process/run.hpp"
#include "core/process/signals.hpp"

namespace onelane::multicall {

class Attempt;
class Turn;
struct Times;

/// What follows after a command of a run.
enum class Next {
  Nothing,  ///< The run is over.
  Part,     ///< Another command of the same attempt.
  Attempt,  ///< A new attempt, with all commands.
};

/// What is added around a call that runs under supervision. This class adds nothing; the one in
/// job/ adds what `onelane run`, coalescing and early release need. run_call.cpp calls the members,
/// in the order below. After begin() none may throw: the tool would be run a second time.
class Additions {
 public:
  Additions() = default;
  Additions(const Additions&) = delete;
  Additions& operator=(const Additions&) = delete;
  virtual ~Additions() = default;

  /// The call has a place in its lane, and can be found there by `run_id`.
  virtual void note_place(const std::string& run_id) { (void)run_id; }
  /// The call has its turn, after a wait since `times`. May end this process with the result of
  /// another run. Returns a signal that arrived meanwhile and ends us, 0 for none.
  [[nodiscard]] virtual int begin(Turn& turn, const Times& times) {
    (void)turn, (void)times;
    return 0;
  }
  /// Adds to a record what is known before the run ends.
  virtual void describe(journal::Record& record) const { (void)record; }

  /// Descriptors for 1 and 2 of the next command; -1: the caller's. Owned by this object.
  [[nodiscard]] virtual std::array<int, 2> output() const noexcept { return {-1, -1}; }
  /// Readable when look() is due; -1 for none.
  [[nodiscard]] virtual int wake() const noexcept { return -1; }
  /// True if another command may follow the next one.
  [[nodiscard]] virtual bool may_go_on() const noexcept { return false; }
  /// Changes `argv`, which holds the call's own arguments, for the next command. What it points to
  /// must outlive the launch.
  virtual void set_command(std::vector<char*>& argv) { (void)argv; }

  /// A cheap check between two looks; true if a look is due.
  [[nodiscard]] virtual bool peek() noexcept { return false; }
  /// Called at each look at the run, after its limits were checked.
  virtual void look(const process::Scene& scene, Attempt& attempt,
                    process::Judgement& judgement) noexcept {
    (void)scene, (void)attempt, (void)judgement;
  }

  /// A command has ended with `part`: returns the outcome of the attempt so far.
  [[nodiscard]] virtual process::Outcome whole_with(const process::Outcome& before,
                                                    const process::Outcome& part) const noexcept {
    (void)before;
    return part;
  }
  /// Decides what follows, while the turn is still ours; `attempt` has taken `part` over.
  [[nodiscard]] virtual Next next(const process::Outcome& part, Attempt& attempt) noexcept {
    (void)part, (void)attempt;
    return Next::Nothing;
  }
  /// Called before what follows. Returns a signal that ends us, 0 for none.
  [[nodiscard]] virtual int pause_before(Next next, const process::Signals& signals,
                                         Attempt& attempt) noexcept {
    (void)next, (void)signals, (void)attempt;
    return 0;
  }
  /// An attempt has ended: changes its record before that is written.
  virtual void add_to(journal::Record& record, const process::Outcome& outcome) {
    (void)record, (void)outcome;
  }
  /// True if add_to() shall be called even for a run without a place in a lane, which has no line
  /// in the journal.
  [[nodiscard]] virtual bool wants_record() const noexcept { return false; }
  /// Everything has been written down; next, the process ends as the tool did.
  virtual void finish() noexcept {}
  /// Nothing was run; next, the process ends with an exit code.
  virtual void leave() noexcept {}
};

}  // namespace onelane::multicall
