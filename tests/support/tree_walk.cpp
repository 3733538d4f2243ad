#include "tests/support/tree_walk.hpp"

#include <signal.h>

#include <algorithm>
#include <ostream>
#include <thread>
#include <vector>

#include "core/sys/process.hpp"

namespace onelane::test {
namespace {

std::vector<pid_t> sorted_children(pid_t pid) {
  auto children = sys::children_of(pid);
  std::ranges::sort(children);
  return children;
}

void list_depth_first(std::vector<pid_t>& out, pid_t pid, WalkOrder order) {
  auto children = sorted_children(pid);
  if (order == WalkOrder::LastFirst) {
    std::ranges::reverse(children);
  }
  if (order != WalkOrder::LeafFirst) {
    out.push_back(pid);
  }
  for (const pid_t child : children) {
    list_depth_first(out, child, order);
  }
  if (order == WalkOrder::LeafFirst) {
    out.push_back(pid);
  }
}

std::vector<pid_t> list_tree(pid_t root, WalkOrder order) {
  std::vector<pid_t> out;
  if (order != WalkOrder::Levels && order != WalkOrder::Children) {
    list_depth_first(out, root, order);
    return out;
  }
  out.push_back(root);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto children = sorted_children(out[i]);
    out.insert(out.end(), children.begin(), children.end());
  }
  if (order == WalkOrder::Children) {
    const auto below = static_cast<std::ptrdiff_t>(sorted_children(root).size());
    std::rotate(out.begin(), out.begin() + 1, out.begin() + 1 + below);
  }
  return out;
}

}  // namespace

const char* name_of(WalkOrder order) {
  constexpr const char* kNames[] = {"Levels", "Preorder", "LastFirst", "Children", "LeafFirst"};
  return kNames[static_cast<std::size_t>(order)];
}

void PrintTo(const Walk& walk, std::ostream* out) {
  *out << name_of(walk.order) << " by " << walk.pause.count() << " ms";
}

bool walk_tree(pid_t root, int signal, const Walk& walk) {
  using std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kSlack{8};
  steady_clock::time_point at_root{};
  bool in_time = true;
  for (const pid_t pid : list_tree(root, walk.order)) {
    if (pid == root) {
      at_root = steady_clock::now();
      ::kill(pid, signal);
      std::this_thread::sleep_for(walk.pause);
      continue;
    }
    ::kill(pid, signal);
    if (at_root != steady_clock::time_point{}) {
      in_time = in_time && steady_clock::now() - at_root < walk.pause + kSlack;
      at_root = {};
    }
    std::this_thread::sleep_for(walk.pause);
  }
  return in_time;
}

}  // namespace onelane::test
