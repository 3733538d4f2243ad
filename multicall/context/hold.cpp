#include "multicall/context/hold.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/sys/clock.hpp"
#include "core/sys/text.hpp"
#include "core/sys/users.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall {

std::string hold_words(const lane::Header& header, bool with_remedy) {
  const auto since = std::max<std::int64_t>(0, sys::wall_seconds() - header.held_since);
  std::string text = std::string{"on hold"} + (with_remedy ? " until `onelane release`" : "") +
                     " by " + sys::user_name(header.held_by) + " for " +
                     duration_words(std::chrono::seconds{since});
  if (header.held_reason[0] != '\0') {
    text += " (" +
            sys::printable({header.held_reason.data(),
                            ::strnlen(header.held_reason.data(), header.held_reason.size())}) +
            ")";
  }
  return text;
}

}  // namespace onelane::multicall
