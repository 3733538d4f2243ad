#include "multicall/shim/clamp.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/sys/file_descriptor.hpp"
#include "core/sys/values.hpp"
#include "multicall/context/facts.hpp"
#include "shims/clamp.hpp"

namespace onelane::multicall {
namespace {

constexpr std::size_t kLargestConfig = 1 << 20;

cpu_set_t own_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) == 0) {
    CPU_SET(0, &set);  // more processors than a cpu_set_t can hold; one is always safe
  }
  return set;
}

/// CPU_AFFINITY as a set, without processors that the machine does not have.
std::optional<cpu_set_t> listed_processors(const std::string& list) {
  const auto numbers = sys::parse_cpu_list(list);
  const long most = ::sysconf(_SC_NPROCESSORS_CONF);
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int number : numbers.value_or(std::vector<int>{})) {
    if (number < most && number < CPU_SETSIZE) {
      CPU_SET(static_cast<std::size_t>(number), &set);
    }
  }
  return CPU_COUNT(&set) == 0 ? std::nullopt : std::optional{set};
}

cpu_set_t first_of(const cpu_set_t& all, unsigned count) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (std::size_t number = 0; number < CPU_SETSIZE && count > 0; ++number) {
    if (CPU_ISSET(number, &all)) {
      CPU_SET(number, &set);
      --count;
    }
  }
  return set;
}

/// Where vitest looks for its config file: its root, or for npm the directory of the nearest
/// package.json upwards.
std::string vitest_directory(const Call& call) {
  const shims::Shim* shim = shims::find_shim(call.name);
  std::string directory = shim == nullptr ? "." : acting_directory(shim->target(call.args));
  for (int level = 0; call.name == "npm" && level < 32; ++level) {
    if (::access((directory + "/package.json").c_str(), F_OK) == 0) {
      break;
    }
    directory += "/..";
  }
  return directory;
}

shims::Clamp mode_of(settings::Clamp clamp) {
  switch (clamp) {
    case settings::Clamp::Off:
      return shims::Clamp::Off;
    case settings::Clamp::Soft:
      return shims::Clamp::Soft;
    case settings::Clamp::Hard:
      return shims::Clamp::Hard;
  }
  return shims::Clamp::Off;
}

unsigned count_of(std::uint64_t workers) {
  return static_cast<unsigned>(std::min<std::uint64_t>(workers, 1'000'000));
}

shims::Clamped clamped(const Call& call, const settings::Settings& settings, shims::Class cls,
                       int processors) {
  const ProcessFacts facts{call};
  shims::ClampRequest request;
  request.mode = mode_of(settings.clamp.value);
  request.workers = count_of(settings.max_workers.value);
  request.pytest_workers = count_of(settings.pytest_max_workers.value);
  request.processors = static_cast<unsigned>(std::max(processors, 1));
  request.watches = cls == shims::Class::Service;
  request.tool = call.name;
  request.args = call.args;
  request.facts = &facts;
  request.file = [&](std::string_view name) -> std::optional<std::string> {
    const bool absolute = name.starts_with('/');
    const std::string path =
        (absolute ? std::string{} : vitest_directory(call) + "/") + std::string{name};
    auto text = sys::read_small_file(path.c_str(), kLargestConfig);
    return text || errno == ENOENT || errno == ENOTDIR ? text : std::string{};
  };
  return shims::clamp(request);
}

std::string notice_of(const std::vector<std::string>& changes, unsigned affinity) {
  std::string text;
  for (const std::string& change : changes) {
    text += (text.empty() ? "" : ", ") + change;
  }
  if (affinity > 0) {
    text += (text.empty() ? "" : ", ") + std::string{"at most "} + std::to_string(affinity) +
            (affinity == 1 ? " processor" : " processors");
  }
  return text.empty() ? text : text + " (CLAMP=hard)";
}

}  // namespace

ClampPlan plan_clamp(const Call& call, const settings::Settings& settings, shims::Class cls) {
  ClampPlan plan;
  const bool bounded = settings.clamp.value != settings::Clamp::Off &&
                       (settings.max_workers.value > 0 || settings.pytest_max_workers.value > 0);
  const bool placed = !settings.cpu_affinity.value.empty();
  if (cls == shims::Class::Pass || (!bounded && !placed)) {
    return plan;
  }
  if (placed) {
    plan.processors = listed_processors(settings.cpu_affinity.value);
  }
  if (!bounded) {
    return plan;
  }
  const cpu_set_t usable = plan.processors ? *plan.processors : own_processors();
  shims::Clamped result = clamped(call, settings, cls, CPU_COUNT(&usable));
  for (std::string& change : result.changes) {
    change = shown(std::move(change));
  }
  const unsigned affinity = plan.processors ? 0 : result.affinity;
  if (affinity > 0) {
    plan.processors = first_of(usable, affinity);
  }
  plan.notice = notice_of(result.changes, affinity);
  plan.environment = std::move(result.environment);
  plan.args = std::move(result.args);
  plan.changes = std::move(result.changes);
  return plan;
}

void use_clamped_args(ClampPlan& plan, std::vector<char*>& argv) {
  for (std::size_t i = 0; plan.args && i < plan.args->size(); ++i) {
    argv.at(i + 1) = plan.args->at(i).data();
  }
}

process::Scheduling scheduling_of(const settings::Settings& settings, const ClampPlan& plan) {
  process::Scheduling scheduling;
  scheduling.nice = settings.nice.value;
  if (settings.ionice.value != settings::IoNice::None) {
    // Class and level packed as for ioprio_set(2): idle, or the lowest best-effort level.
    scheduling.io_priority =
        settings.ionice.value == settings::IoNice::Idle ? 3 << 13 : (2 << 13) + 7;
  }
  scheduling.affinity = plan.processors ? &*plan.processors : nullptr;
  return scheduling;
}

std::string shown(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 32 || c == '\x7f'; }, '?');
  return text;
}

std::string clamp_source(const settings::Settings& settings, const std::string& variable) {
  const bool pytest = variable.starts_with("PYTEST_") && settings.pytest_max_workers.value > 0;
  const auto& source = pytest ? settings.pytest_max_workers.source : settings.max_workers.source;
  return (pytest ? "pytest_max_workers, " : "max_workers, ") + settings::place_of(source);
}

}  // namespace onelane::multicall
