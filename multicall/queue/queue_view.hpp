#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/queue/store.hpp"
#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall {

/// The command of an entry as one line that is safe for a terminal.
[[nodiscard]] std::string command_of(const queue::Entry& entry);

/// "3: make test".
[[nodiscard]] std::string name_of(const queue::Entry& entry);

/// The options of `onelane run` that the entry is started with: "--retry", "2", "--atoms=tools".
[[nodiscard]] std::vector<std::string> run_options_of(const queue::Entry& entry);

/// An entry for programs. The names are stable and always there. Leaves out its environment.
[[nodiscard]] nlohmann::json json_of(const queue::Entry& entry);

/// Calls `act` with the caller's queue of this project and returns its exit code. If there is no
/// project, or the queue cannot be read or written, says so in one line and returns 1.
[[nodiscard]] int with_queue(const std::function<int(const LanesHere&, queue::Store&)>& act);

/// Creates what is missing of the state directory, for the first entry. Throws SystemError.
void make_queue_directory(const LanesHere& lanes);

/// Store::change(), after marking what a killed queue start has left running as interrupted.
void change_queue(queue::Store& store, const std::function<void(queue::Queue&)>& act);

/// Says that there is no such entry; returns 1.
[[nodiscard]] int refuse_entry(std::uint64_t id);

}  // namespace onelane::multicall
