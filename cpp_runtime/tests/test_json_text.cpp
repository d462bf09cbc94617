#include <catch.hpp>

#include <nlohmann/json.hpp>
#include <random>

#include "bundle/json_text.hpp"

using nanoedge::json_text;

TEST_CASE("a text is escaped only where JSON asks for it") {
  CHECK(json_text("a/b \x7F \xC3\xA9 \xF0\x9F\x90\xA6") == "\"a/b \x7F \xC3\xA9 \xF0\x9F\x90\xA6\"");
  CHECK(json_text("\"\\\b\f\n\r\t\x01\x1F") == R"("\"\\\b\f\n\r\t\u0001\u001f")");
  CHECK(json_text(std::string_view("a\0b", 3)) == R"("a\u0000b")");
  CHECK(json_text("") == "\"\"");
}

TEST_CASE("bytes that are no UTF-8 are replaced, the others stay") {
  CHECK(json_text("a\xFFz") == "\"a\xEF\xBF\xBDz\"");
  for (const char* bad : {"\x80", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80"}) {
    CHECK(nlohmann::json::parse(json_text(bad)).get<std::string>().substr(0, 3) == "\xEF\xBF\xBD");
  }
  CHECK(json_text("\xE2\x82") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");  // cut off
}

TEST_CASE("what the JSON library reads from it is the text") {
  std::mt19937 random(1);
  for (int again = 0; again < 2000; ++again) {
    std::string text(random() % 8, ' ');
    for (char& character : text) character = static_cast<char>(random() % 256);
    const std::string read = nlohmann::json::parse(json_text(text)).get<std::string>();
    bool is_utf8 = true;
    try {
      is_utf8 = nlohmann::json(text).dump() == json_text(text);
    } catch (const nlohmann::json::type_error&) {
      is_utf8 = false;
    }
    CHECK((read == text) == is_utf8);
  }
}
