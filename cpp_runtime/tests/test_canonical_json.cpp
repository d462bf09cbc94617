#include <catch.hpp>

#include <nlohmann/json.hpp>

#include "bundle/canonical_json.hpp"

using nanoedge::canonical_json;

static std::string canonical(const char* text) {
  return canonical_json(nlohmann::json::parse(text));
}

TEST_CASE("keys are sorted and no spaces are left") {
  CHECK(canonical(R"({"b": [1, 2, {"z": null}], "a": true})") == R"({"a":true,"b":[1,2,{"z":null}]})");
}

TEST_CASE("texts keep their letters and escape only what JSON must") {
  CHECK(canonical("{\"\\u00e9\\n\": \"\\u0001\\\"\\\\/\"}") == "{\"é\\n\":\"\\u0001\\\"\\\\/\"}");
}

TEST_CASE("numbers are written as Python's repr writes them") {
  CHECK(canonical("[103.53, 0.6, 1.0, -0.0, 0.0001, 0.00001, 1e22, 1e15, 1e16, 123456789.125, 5e-324]") ==
        "[103.53,0.6,1.0,-0.0,0.0001,1e-05,1e+22,1000000000000000.0,1e+16,123456789.125,5e-324]");
  CHECK(canonical("[7.120236347223045e-307, 5.684341886080802e-14, 1152921504606847000.0]") ==
        "[7.120236347223045e-307,5.684341886080802e-14,1.152921504606847e+18]");  // powers of two
  CHECK(canonical("[1.7976931348623157e308, 0.1, 9007199254740993, -3]") ==
        "[1.7976931348623157e+308,0.1,9007199254740993,-3]");
}
