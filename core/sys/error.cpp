#include "core/sys/error.hpp"

#include <cerrno>

namespace onelane::sys {
namespace {

std::string sentence(std::string_view action, std::string_view object) {
  std::string text{action};
  if (!object.empty()) {
    text.append(" ").append(object);
  }
  return text;
}

}  // namespace

SystemError::SystemError(int error, std::string_view action, std::string_view object)
    : std::system_error{error, std::generic_category(), sentence(action, object)} {}

void throw_errno(std::string_view action, std::string_view object) {
  throw SystemError{errno, action, object};
}

}  // namespace onelane::sys
