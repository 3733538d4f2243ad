#include "multicall/doctor/probe.hpp"

#include <charconv>

#include "core/tool/find.hpp"

namespace onelane::multicall::doctor {
namespace {

/// Prints `onelane-doctor:INDEX:PATH` for each argument after $0.
constexpr const char* kScript =
    "i=0; for t do printf 'onelane-doctor:%d:%s\\n' \"$i\" \"$(command -v \"$t\")\"; "
    "i=$((i+1)); done";
constexpr std::string_view kMark = "onelane-doctor:";

std::vector<Detour> detours_in(const Scene& scene, std::string_view out) {
  std::vector<Detour> list;
  for (std::size_t at = out.find(kMark); at != std::string_view::npos; at = out.find(kMark, at)) {
    at += kMark.size();
    const std::string_view line = out.substr(at, out.find('\n', at) - at);
    const char* const stop = line.data() + line.size();
    std::size_t index = scene.tools.size();
    const auto [end, error] = std::from_chars(line.data(), stop, index);
    if (error != std::errc{} || end == stop || index >= scene.tools.size()) {
      continue;
    }
    std::string found{end + 1, stop};
    if (!found.starts_with('/') || !tool::is_onelane(found.c_str())) {
      list.push_back({scene.tools[index], std::move(found)});
    }
  }
  return list;
}

}  // namespace

Probe probe(const Scene& scene, std::vector<std::string> front, std::string_view name,
            const decltype(process::Question::environment)& environment) {
  process::Question question{
      .argv = std::move(front), .directory = scene.project->root, .environment = environment};
  question.argv.emplace_back(kScript);
  question.argv.emplace_back(name);
  question.argv.insert(question.argv.end(), scene.tools.begin(), scene.tools.end());
  Probe out{.answer = process::ask(question)};
  const std::string last = std::string{kMark} + std::to_string(scene.tools.size() - 1) + ":";
  out.is_complete = out.answer.out.find(last) != std::string::npos;
  out.detours = detours_in(scene, out.answer.out);
  return out;
}

std::string describe(const std::vector<Detour>& detours) {
  const Detour& first = detours.front();
  std::string text = first.tool + " is ";
  text += first.reached.empty()            ? "not found"
          : first.reached.starts_with('/') ? first.reached
                                           : "a function or an alias";
  const std::size_t more = detours.size() - 1;
  return more == 0 ? text
                   : text + ", and " + std::to_string(more) +
                         (more == 1 ? " other reaches" : " others reach") + " no shim either";
}

Finding silence(const std::string& who, const process::Answer& answer) {
  const bool late = answer.end == process::Answer::End::TimedOut;
  return {.what = who + (late ? " did not answer within 2 s" : " ended before it answered"),
          .todo = late ? "find out what its start-up files wait for"
                       : "run it by hand and read what it says"};
}

}  // namespace onelane::multicall::doctor
