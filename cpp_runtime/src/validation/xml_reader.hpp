// The small part of XML that OpenVINO writes: elements with attributes, nothing that an attacker could use.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nanoedge {

// One start tag.
struct XmlElement {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::string_view>> attributes;  // values as written
  int depth = 0;                                                          // 1 for the root
  int line = 0;

  // The attribute's value; null when it is not there.
  const std::string_view* find(std::string_view key) const;
};

// Reads start tags one after the other. Document types, processing instructions after the first line, CDATA and
// entities beyond the five of XML are refused, as are unbalanced tags, tags nested deeper than 16, and text that is not
// one whole number (the dimensions of ports). Throws Error (bundle) that names `place` and the line.
class XmlReader {
 public:
  XmlReader(std::string_view text, std::string place);

  // The next start tag; false at the end of the document.
  bool next(XmlElement& element);

  [[noreturn]] void refuse(const std::string& what) const;

 private:
  void skip_space();
  void advance(std::size_t count);
  bool starts_with(std::string_view prefix) const { return rest_.substr(0, prefix.size()) == prefix; }
  std::string_view name();
  std::string_view value();
  void skip_number();
  void skip_comment();
  void end_tag();

  std::string_view rest_;
  std::string place_;
  int line_ = 1;
  std::vector<std::string_view> open_;
  bool root_seen_ = false;
};

}  // namespace nanoedge
