#include "validation/xml_reader.hpp"

#include <algorithm>

#include "nanoedge/error.hpp"

namespace nanoedge {
namespace {

constexpr std::size_t kMaxDepth = 16, kMaxAttributes = 64, kMaxName = 64, kMaxValue = 65536;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

}  // namespace

const std::string_view* XmlElement::find(std::string_view key) const {
  for (const auto& attribute : attributes) {
    if (attribute.first == key) return &attribute.second;
  }
  return nullptr;
}

XmlReader::XmlReader(std::string_view text, std::string place) : rest_(text), place_(std::move(place)) {
  if (starts_with("<?xml ")) {
    const std::size_t end = rest_.find("?>");
    if (end == std::string_view::npos || end > 200) refuse("begins with a declaration that does not end");
    advance(end + 2);
  }
}

void XmlReader::refuse(const std::string& what) const {
  throw Error(ErrorKind::bundle, place_ + ", line " + std::to_string(line_) + ", " + what +
                                     "; the bundle is damaged or not made by NanoEdge.");
}

void XmlReader::advance(std::size_t count) {
  line_ += static_cast<int>(std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(count), '\n'));
  rest_.remove_prefix(count);
}

void XmlReader::skip_space() {
  std::size_t count = 0;
  while (count < rest_.size() && is_space(rest_[count])) ++count;
  advance(count);
}

std::string_view XmlReader::name() {
  std::size_t length = 0;
  while (length < rest_.size() && is_name_character(rest_[length])) ++length;
  if (length == 0 || length > kMaxName) refuse("has a tag or attribute without a plain name");
  const std::string_view name = rest_.substr(0, length);
  advance(length);
  return name;
}

std::string_view XmlReader::value() {
  if (rest_.empty() || (rest_.front() != '"' && rest_.front() != '\'')) refuse("has an attribute without quotes");
  const std::size_t end = rest_.find(rest_.front(), 1);
  if (end == std::string_view::npos || end > kMaxValue) refuse("has an attribute that does not end");
  const std::string_view value = rest_.substr(1, end - 1);
  for (std::size_t at = value.find_first_of("<&"); at != std::string_view::npos;
       at = value.find_first_of("<&", at + 1)) {
    const std::string_view from = value.substr(at);
    const auto is = [&](std::string_view entity) { return from.substr(0, entity.size()) == entity; };
    if (!is("&lt;") && !is("&gt;") && !is("&amp;") && !is("&quot;") && !is("&apos;")) {
      refuse("has an entity that NanoEdge does not read");
    }
  }
  advance(end + 1);
  return value;
}

void XmlReader::skip_number() {
  std::size_t length = 0;
  while (length < rest_.size() && rest_[length] >= '0' && rest_[length] <= '9') ++length;
  if (length == 0 || open_.empty()) refuse("has text between its tags");
  advance(length);
  skip_space();
  if (!rest_.empty() && rest_.front() != '<') refuse("has text between its tags");
}

void XmlReader::skip_comment() {
  const std::size_t end = rest_.find("-->", 4);
  if (end == std::string_view::npos) refuse("has a comment that does not end");
  advance(end + 3);
}

void XmlReader::end_tag() {
  advance(2);
  const std::string_view closed = name();
  skip_space();
  if (rest_.empty() || rest_.front() != '>') refuse("has an end tag that does not end");
  if (open_.empty() || open_.back() != closed) refuse("closes a tag that is not open");
  open_.pop_back();
  advance(1);
}

bool XmlReader::next(XmlElement& element) {
  while (true) {
    skip_space();
    if (rest_.empty()) {
      if (!open_.empty() || !root_seen_) refuse("ends before its tags do");
      return false;
    }
    if (rest_.front() != '<') skip_number();
    if (rest_.empty()) continue;
    if (starts_with("<!--")) {
      skip_comment();
    } else if (starts_with("</")) {
      end_tag();
    } else {
      break;
    }
  }
  if (starts_with("<!") || starts_with("<?")) refuse("has a document type or an instruction, which no network needs");
  if (open_.empty() && root_seen_) refuse("has a second root");
  root_seen_ = true;
  advance(1);
  element.line = line_;
  element.name = name();
  element.attributes.clear();
  element.depth = static_cast<int>(open_.size()) + 1;
  while (true) {
    skip_space();
    if (starts_with("/>")) {
      advance(2);
      return true;
    }
    if (starts_with(">")) {
      if (open_.size() >= kMaxDepth) refuse("is nested deeper than any network");
      open_.push_back(element.name);
      advance(1);
      return true;
    }
    const std::string_view key = name();
    skip_space();
    if (rest_.empty() || rest_.front() != '=') refuse("has an attribute without a value");
    advance(1);
    skip_space();
    if (element.find(key) != nullptr) refuse("has an attribute twice");
    if (element.attributes.size() >= kMaxAttributes) refuse("has more attributes than any network");
    element.attributes.emplace_back(key, value());
  }
}

}  // namespace nanoedge
