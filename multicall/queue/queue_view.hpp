#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/queue/store.hpp"
#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall {

/// The entry's command, one line that is safe for a terminal.
[[nodiscard]] std::string command_of(const queue::Entry& entry);

/// "3: make test".
[[nodiscard]] std::string name_of(const queue::Entry& entry);

/// The options of `onelane run` with which the entry is started: "--retry", "2", "--atoms=tools".
[[nodiscard]] std::vector<std::string> run_options_of(const queue::Entry& entry);

/// An entry for programs, stable names, each always there. Its environment stays in the file.
[[nodiscard]] nlohmann::json json_of(const queue::Entry& entry);

/// What a verb that reads or changes the caller's queue of this project does; its exit code, or
/// 1 with one line where there is no project or the queue cannot be read or written.
[[nodiscard]] int with_queue(const std::function<int(const LanesHere&, queue::Store&)>& act);

/// Makes what is missing of the state directory, for the first entry. Throws SystemError.
void make_queue_directory(const LanesHere& lanes);

/// Store::change, in which what a killed start has left running is interrupted first.
void change_queue(queue::Store& store, const std::function<void(queue::Queue&)>& act);

/// Says that there is no such entry; gives 1.
[[nodiscard]] int refuse_entry(std::uint64_t id);

}  // namespace onelane::multicall
