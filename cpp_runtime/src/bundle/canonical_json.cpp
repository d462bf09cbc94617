#include "bundle/canonical_json.hpp"

#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

namespace nanoedge {
namespace {

// Python writes 1e-05 but 0.0001, and 1e+16 but 1000000000000000.0: an exponent stands below 1e-4 and from 1e16 on.
std::string shortest(double value) {
  char buffer[32];
  const auto written = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<std::size_t>(written.ptr - buffer));
  const bool negative = text.front() == '-';
  const std::size_t e = text.find('e');
  const int exponent = std::atoi(std::string(text.substr(e + 1)).c_str());
  std::string digits;
  for (const char character : text.substr(negative, e - negative)) {
    if (character != '.') digits += character;
  }
  std::string result = negative ? "-" : "";
  if (exponent < -4 || exponent >= 16) {
    result += digits[0];
    if (digits.size() > 1) result += "." + digits.substr(1);
    const std::string size = std::to_string(std::abs(exponent));
    return result + (exponent < 0 ? "e-" : "e+") + (size.size() < 2 ? "0" : "") + size;
  }
  if (exponent < 0) return result + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return result + digits + std::string(whole - digits.size(), '0') + ".0";
  return result + digits.substr(0, whole) + "." + digits.substr(whole);
}

void append(std::string& text, const nlohmann::json& value) {
  if (value.is_object()) {
    text += '{';
    for (auto item = value.begin(); item != value.end(); ++item) {  // std::map: sorted by bytes, as by code point
      if (item != value.begin()) text += ',';
      text += nlohmann::json(item.key()).dump();
      text += ':';
      append(text, item.value());
    }
    text += '}';
  } else if (value.is_array()) {
    text += '[';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) text += ',';
      append(text, value[i]);
    }
    text += ']';
  } else if (value.is_number_float()) {
    text += shortest(value.get<double>());
  } else {
    text += value.dump();
  }
}

}  // namespace

std::string canonical_json(const nlohmann::json& document) {
  std::string text;
  append(text, document);
  return text;
}

}  // namespace nanoedge
