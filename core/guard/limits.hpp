#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace onelane::guard {

/// Why a run is ended. The words of `word_of` are in journals and stay as they are.
enum class Cause {
  Memory,           ///< One process over its limit.
  TreeMemory,       ///< All together over theirs.
  Processes,        ///< Too many.
  Timeout,          ///< The tool took too long.
  PipelineTimeout,  ///< The outermost run did, retries included.
  Idle,             ///< Nothing happened for too long.
  Reserve,          ///< The machine has too little memory left, and this run has most of it.
};
[[nodiscard]] const char* word_of(Cause cause) noexcept;

/// True for the causes that a run ends with 124 for; 137 for the others.
[[nodiscard]] constexpr bool is_about_time(Cause cause) noexcept {
  return cause == Cause::Timeout || cause == Cause::PipelineTimeout || cause == Cause::Idle;
}

/// One limit, with what a person needs to change it.
template <class T>
struct Limit {
  T value{};          ///< 0 for none.
  std::string name;   ///< "MEMORY_LIMIT_MB"
  std::string place;  ///< "/p/.env.development:3", "built-in"
  std::string key;    ///< As written there; empty for a built-in value.
};

/// Everything that bounds one run.
struct Limits {
  Limit<std::uint64_t> memory;       ///< Bytes of any one process.
  Limit<std::uint64_t> tree_memory;  ///< Bytes of all.
  Limit<std::uint64_t> processes;
  Limit<std::chrono::milliseconds> timeout;
  Limit<std::chrono::milliseconds> pipeline_timeout;
  Limit<std::chrono::milliseconds> idle;
  bool idle_ends = false;        ///< Or only warns.
  Limit<std::uint64_t> reserve;  ///< Bytes that the machine keeps for everybody else.
  std::chrono::milliseconds check_interval{5'000};
};

}  // namespace onelane::guard
