#include "core/process/run.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace onelane::process {

void Usage::add(const struct rusage& one) noexcept {
  const auto ms = [](const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec * 1000 + time.tv_usec / 1000);
  };
  cpu_ms += ms(one.ru_utime) + ms(one.ru_stime);
  largest_kb = std::max(largest_kb, static_cast<std::uint64_t>(one.ru_maxrss));
  blocks_in += static_cast<std::uint64_t>(one.ru_inblock);
  blocks_out += static_cast<std::uint64_t>(one.ru_oublock);
}

}  // namespace onelane::process
