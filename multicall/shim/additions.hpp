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

/// What follows a command of a run.
enum class Next {
  Nothing,  ///< The run is over.
  Part,     ///< Another command of the same attempt.
  Attempt,  ///< All of it once more.
};

/// What is added around a call that is run under supervision. This one adds nothing; job/ has what
/// `onelane run`, coalescing and early release add. run_call.cpp asks at the moments that the
/// members name, in this order. After begin() none may throw: the tool would run a second time.
class Additions {
 public:
  Additions() = default;
  Additions(const Additions&) = delete;
  Additions& operator=(const Additions&) = delete;
  virtual ~Additions() = default;

  /// The call has a place in its lane, and can be found there by `run_id`.
  virtual void note_place(const std::string& run_id) { (void)run_id; }
  /// The call has its turn, for which it has waited since `times`. May end this process with a
  /// result that is there already. A signal that arrived meanwhile and ends us; 0 for none.
  [[nodiscard]] virtual int begin(Turn& turn, const Times& times) {
    (void)turn, (void)times;
    return 0;
  }
  /// What is known of a run before it ends, beside what every record has.
  virtual void describe(journal::Record& record) const { (void)record; }

  /// Where the next command writes to, in place of descriptors 1 and 2; -1: the caller's.
  [[nodiscard]] virtual std::array<int, 2> output() const noexcept { return {-1, -1}; }
  /// Readable when look() is due; -1 for none.
  [[nodiscard]] virtual int wake() const noexcept { return -1; }
  /// Another command may follow the next one.
  [[nodiscard]] virtual bool may_go_on() const noexcept { return false; }
  /// Changes `argv`, which has the call's own words, for the next command.
  virtual void set_command(std::vector<char*>& argv) { (void)argv; }

  /// A cheap question between two looks: true when one is due.
  [[nodiscard]] virtual bool peek() noexcept { return false; }
  /// At each look at the run, after its limits.
  virtual void look(const process::Scene& scene, Attempt& attempt,
                    process::Judgement& judgement) noexcept {
    (void)scene, (void)attempt, (void)judgement;
  }

  /// A command has ended: what is known of the attempt with it.
  [[nodiscard]] virtual process::Outcome whole_with(const process::Outcome& before,
                                                    const process::Outcome& part) const noexcept {
    (void)before;
    return part;
  }
  /// Asked while the turn is still ours; `attempt` has the part.
  [[nodiscard]] virtual Next next(const process::Outcome& part, Attempt& attempt) noexcept {
    (void)part, (void)attempt;
    return Next::Nothing;
  }
  /// Before what follows. A signal that ends us; 0 for none.
  [[nodiscard]] virtual int pause_before(Next next, const process::Signals& signals,
                                         Attempt& attempt) noexcept {
    (void)next, (void)signals, (void)attempt;
    return 0;
  }
  /// An attempt has ended, and this is about to be written down.
  virtual void add_to(journal::Record& record, const process::Outcome& outcome) {
    (void)record, (void)outcome;
  }
  /// True where add_to() is wanted for a run without a place in a lane, which has no journal line.
  [[nodiscard]] virtual bool wants_record() const noexcept { return false; }
  /// All has been written down; the process ends next, as the tool did.
  virtual void finish() noexcept {}
  /// Nothing was run, and the process ends with a code.
  virtual void leave() noexcept {}
};

}  // namespace onelane::multicall
