#include "multicall/term/annotation.hpp"

namespace onelane::multicall::ci {
namespace {

enum class Part { Property, Data };

/// A newline ends a workflow command; `:` and `,` end a property as well.
std::string escaped(std::string_view text, Part part) {
  std::string out;
  for (const char byte : text) {
    switch (byte) {
      case '%':
        out += "%25";
        break;
      case '\r':
        out += "%0D";
        break;
      case '\n':
        out += "%0A";
        break;
      case ':':
        out += part == Part::Property ? "%3A" : ":";
        break;
      case ',':
        out += part == Part::Property ? "%2C" : ",";
        break;
      default:
        out += byte;
    }
  }
  return out;
}

}  // namespace

std::string line_of(const Annotation& annotation) {
  return "::" + std::string{annotation.kind} +
         " title=" + escaped(annotation.title, Part::Property) +
         "::" + escaped(annotation.text, Part::Data) + "\n";
}

}  // namespace onelane::multicall::ci
