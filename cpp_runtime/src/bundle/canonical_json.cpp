#include "bundle/canonical_json.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "bundle/json_text.hpp"

namespace nanoedge {
namespace {

// The fewest digits that read back to the same double, as `1.5e-03`. std::to_chars finds them too, with tables that
// make a static executable 150 kB larger.
std::string fewest_digits(double value) {
  constexpr int kMost = 17;  // always enough
  char text[32];
  for (int digits = 1; digits <= kMost; ++digits) {
    std::snprintf(text, sizeof text, "%.*e", digits - 1, value);
    if (std::strtod(text, nullptr) == value) break;
    // The number below a power of two is nearer than the one above: there, digits that are rounded up may read back
    // where the nearest do not.
    char& last = std::strchr(text, 'e')[-1];
    if (last == '9') continue;
    ++last;
    if (std::strtod(text, nullptr) == value) break;
  }
  return text;
}

// Python writes 1e-05 but 0.0001, and 1e+16 but 1000000000000000.0: an exponent stands below 1e-4 and from 1e16 on.
std::string shortest(double value) {
  const std::string text = fewest_digits(value);
  const bool negative = text.front() == '-';
  const std::size_t e = text.find('e');
  const int exponent = std::atoi(text.c_str() + e + 1);
  std::string digits;
  for (const char character : text.substr(0, e)) {
    if (character >= '0' && character <= '9') digits += character;  // the point is the locale's
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
      text += json_text(item.key());
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
  } else if (value.is_string()) {
    text += json_text(value.get_ref<const std::string&>());
  } else if (value.is_number_unsigned()) {
    text += std::to_string(value.get<std::uint64_t>());
  } else if (value.is_number_integer()) {
    text += std::to_string(value.get<std::int64_t>());
  } else {
    text += value.is_null() ? "null" : value.get<bool>() ? "true" : "false";
  }
}

}  // namespace

std::string canonical_json(const nlohmann::json& document) {
  std::string text;
  append(text, document);
  return text;
}

}  // namespace nanoedge
