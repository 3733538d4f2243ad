#include "multicall/monitor/tree.hpp"

#include <algorithm>
#include <cctype>
#include <tuple>
#include <unordered_map>

namespace onelane::multicall::monitor {
namespace {

bool goes_before(const ProcessLook& a, const ProcessLook& b, Sort sort) {
  switch (sort) {
    case Sort::Memory:
      return a.bytes > b.bytes;
    case Sort::Cpu:
      return a.cpu > b.cpu;
    case Sort::Age:
      return a.age > b.age;
    case Sort::Start:
      break;
  }
  return std::tie(a.id.start, a.id.pid) < std::tie(b.id.start, b.id.pid);
}

/// One walk through the tree.
class Walk {
 public:
  Walk(const std::vector<ProcessLook>& processes, const Choice& choice, bool unicode)
      : processes_{processes}, choice_{choice}, unicode_{unicode} {
    std::unordered_map<pid_t, std::size_t> at;
    for (std::size_t i = 0; i < processes.size(); ++i) {
      at.emplace(processes[i].id.pid, i);
    }
    children_.resize(processes.size());
    wanted_.resize(processes.size());
    for (std::size_t i = 0; i < processes.size(); ++i) {
      const auto parent = at.find(processes[i].parent);
      const bool is_below = parent != at.end() && parent->second != i && processes[i].depth > 0;
      (is_below ? children_[parent->second] : roots_).push_back(i);
      wanted_[i] = has_part(processes[i].command, choice.filter);
    }
    // Parents come first, so walking from the end lets a wanted child keep all its ancestors.
    for (std::size_t i = processes.size(); i-- > 0;) {
      wanted_[i] = wanted_[i] || std::ranges::any_of(children_[i], [this](std::size_t child) {
                     return wanted_[child];
                   });
    }
  }

  std::vector<Branch> run() {
    add(roots_, "", false);
    return std::move(out_);
  }

 private:
  // descendants_of() does not limit the depth, so this does.
  static constexpr std::size_t kDeepest = 3 * 64;

  void add(std::vector<std::size_t>& siblings, const std::string& indent, bool is_below) {
    std::erase_if(siblings, [this](std::size_t i) { return !wanted_[i]; });
    std::ranges::stable_sort(siblings, [this](std::size_t a, std::size_t b) {
      return goes_before(processes_[a], processes_[b], choice_.sort);
    });
    for (const std::size_t i : siblings) {
      const bool is_last = i == siblings.back();
      const std::string_view turn = unicode_ ? (is_last ? "└ " : "├ ") : (is_last ? "` " : "| ");
      out_.push_back({&processes_[i], is_below ? indent + std::string{turn} : ""});
      const std::string_view beside = is_last ? "  " : unicode_ ? "│ " : "| ";
      const bool goes_on = is_below && indent.size() < kDeepest;
      add(children_[i], goes_on ? indent + std::string{beside} : indent, true);
    }
  }

  const std::vector<ProcessLook>& processes_;
  const Choice& choice_;
  const bool unicode_;
  std::vector<std::vector<std::size_t>> children_;
  std::vector<std::size_t> roots_;
  std::vector<bool> wanted_;
  std::vector<Branch> out_;
};

}  // namespace

bool has_part(std::string_view text, std::string_view part) {
  const auto alike = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  return part.empty() ||
         std::search(text.begin(), text.end(), part.begin(), part.end(), alike) != text.end();
}

std::vector<Branch> branches_of(const std::vector<ProcessLook>& processes, const Choice& choice,
                                bool unicode) {
  if (choice.as_tree) {
    return Walk{processes, choice, unicode}.run();
  }
  std::vector<Branch> out;
  for (const ProcessLook& process : processes) {
    if (has_part(process.command, choice.filter)) {
      out.push_back({&process, {}});
    }
  }
  std::ranges::stable_sort(out, [&](const Branch& a, const Branch& b) {
    return goes_before(*a.process, *b.process, choice.sort);
  });
  return out;
}

}  // namespace onelane::multicall::monitor
