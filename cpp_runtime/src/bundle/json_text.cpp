#include "bundle/json_text.hpp"

#include <cstdio>

namespace nanoedge {
namespace {

// Bytes of the character that the text begins with; 0 where these are no UTF-8 (RFC 3629).
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t place) { return static_cast<unsigned char>(text[place]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() < size) return 0;
  for (std::size_t place = 1; place < size; ++place) {
    if ((byte(place) & 0xC0) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  const bool is_overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool is_surrogate = first == 0xED && second > 0x9F, is_beyond = first == 0xF4 && second > 0x8F;
  return is_overlong || is_surrogate || is_beyond ? 0 : size;
}

}  // namespace

std::string json_text(std::string_view text) {
  constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t", kLetters = "\"\\bfnrt";
  std::string result = "\"";
  while (!text.empty()) {
    const std::size_t size = character_size(text), known = kEscaped.find(text[0]);
    if (size == 0) {
      result += "\xEF\xBF\xBD";
    } else if (known != std::string_view::npos) {
      (result += '\\') += kLetters[known];
    } else if (static_cast<unsigned char>(text[0]) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(text[0]));
      result += code;
    } else {
      result += text.substr(0, size);
    }
    text.remove_prefix(size > 0 ? size : 1);
  }
  return result + '"';
}

}  // namespace nanoedge
