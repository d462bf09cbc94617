#include <catch.hpp>

#include <string>

#include "bundle/manifest.hpp"
#include "manifest_text.hpp"
#include "refusal.hpp"
#include "validation/openvino_model.hpp"

using namespace nanoedge;

namespace {

const char* const kGood = R"(<?xml version="1.0"?>
<net name="model" version="11">
  <layers>
    <layer id="0" name="data" type="Parameter" version="opset1">
      <data shape="1,3,32,64" element_type="f32" />
      <output><port id="0" precision="FP32" names="data"><dim>1</dim><dim>3</dim></port></output>
    </layer>
    <layer id="1" name="weight &amp; bias" type="Const" version="opset1">
      <data element_type="f16" shape="2, 3" offset="4" size="12" />
    </layer>
    <!-- a remark -->
    <layer id="2" name="sum" type="Add" version="opset1"><data auto_broadcast="numpy" /></layer>
    <layer id="3" name="output" type="Result" version="opset1" />
  </layers>
  <edges>
    <edge from-layer="0" from-port="0" to-layer="2" to-port="0" />
    <edge from-layer="1" from-port="0" to-layer="2" to-port="1" />
    <edge from-layer="2" from-port="2" to-layer="3" to-port="0" />
  </edges>
  <rt_info><info name="who" value="me" /></rt_info>
</net>
)";

std::string refused(const std::string& xml, std::size_t weights = 16) {
  const Manifest manifest = parse_manifest(signed_text(manifest_document()), "m.json");
  return refusal([&] { validate_openvino({xml.begin(), xml.end()}, Bytes(weights), manifest, "model.xml"); });
}

std::string changed(const std::string& from, const std::string& to) {
  std::string text = kGood;
  REQUIRE(text.find(from) != std::string::npos);
  return refused(text.replace(text.find(from), from.size(), to));
}

}  // namespace

TEST_CASE("a good OpenVINO network passes") {
  CHECK(refused(kGood).empty());
}

TEST_CASE("XML that could do more than describe a network is refused") {
  CHECK_THAT(changed("<net name", "<!DOCTYPE x [<!ENTITY a 'b'>]><net name"), Catch::Contains("document type"));
  CHECK_THAT(changed("<layers>", "<?php ?><layers>"), Catch::Contains("instruction"));
  CHECK_THAT(changed("<layers>", "<![CDATA[x]]><layers>"), Catch::Contains("document type"));
  CHECK_THAT(changed("&amp;", "&bomb;"), Catch::Contains("entity"));
  CHECK_THAT(changed("&amp;", "&#65;"), Catch::Contains("entity"));
  CHECK_THAT(changed("</net>", ""), Catch::Contains("ends before its tags do"));
  CHECK_THAT(changed("</edges>", "</layers>"), Catch::Contains("not open"));
  CHECK_THAT(changed("<dim>3</dim>", "<dim>three</dim>"), Catch::Contains("text between"));
  CHECK_THAT(changed("id=\"1\" name", "id=\"1\" id=\"1\" name"), Catch::Contains("attribute twice"));
  CHECK_THAT(changed("id=\"1\"", "id=1"), Catch::Contains("without quotes"));
  CHECK_THAT(changed("</rt_info>", "</rt_info></net><net>"), Catch::Contains("second root"));
  CHECK_THAT(changed("<rt_info>", "<!-- "), Catch::Contains("does not end"));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  CHECK_THAT(changed("<rt_info>", deep), Catch::Contains("nested deeper"));
  CHECK_THAT(refused(""), Catch::Contains("ends before"));
  CHECK_THAT(refused("<?xml " + std::string(1000, ' ')), Catch::Contains("declaration"));
  CHECK_THAT(refused(std::string(33'000'000, ' ')), Catch::Contains("larger than any network"));
}

TEST_CASE("operations outside the allow-list do not run") {
  CHECK_THAT(changed("type=\"Add\"", "type=\"ReadValue\""), Catch::Contains("operation ReadValue"));
  CHECK_THAT(changed("type=\"Add\" version=\"opset1\"", "type=\"Add\" version=\"evil\""), Catch::Contains("own"));
  CHECK_THAT(changed("type=\"Add\" ", ""), Catch::Contains("without type"));
}

TEST_CASE("what ReLU6 and padding below and on the right become is run") {
  for (const std::string operation : {"Clamp", "Maximum", "Minimum", "Pad", "Split"}) {
    CHECK(changed("type=\"Add\"", "type=\"" + operation + "\"").empty());
  }
}

TEST_CASE("constants must lie inside the .bin and be as large as their shape") {
  CHECK(refused(kGood, 16).empty());
  CHECK_THAT(refused(kGood, 15), Catch::Contains("outside its .bin"));
  CHECK_THAT(changed("offset=\"4\"", "offset=\"9223372036854775807\""), Catch::Contains("outside its .bin"));
  CHECK_THAT(changed("offset=\"4\"", "offset=\"-4\""), Catch::Contains("no whole number"));
  CHECK_THAT(changed("size=\"12\"", "size=\"11\""), Catch::Contains("does not fit its shape"));
  CHECK_THAT(changed("2, 3", "99999999, 99999999"), Catch::Contains("larger than any network's"));
  CHECK_THAT(changed("2, 3", "2, "), Catch::Contains("ends with a comma"));
  CHECK_THAT(changed("2, 3", "1,1,1,1,1,1,1,2,3"), Catch::Contains("more than 8 dimensions"));
  CHECK_THAT(changed("element_type=\"f16\"", "element_type=\"string\""), Catch::Contains("of a type"));
  CHECK_THAT(changed("<data element_type=\"f16\" shape=\"2, 3\" offset=\"4\" size=\"12\" />", ""),
             Catch::Contains("constant without data"));
}

TEST_CASE("layers and edges must exist, the input must be the manifest's") {
  CHECK_THAT(changed("to-layer=\"3\"", "to-layer=\"7\""), Catch::Contains("edge to no layer"));
  CHECK_THAT(changed("<layer id=\"2\"", "<layer id=\"1\""), Catch::Contains("id twice"));
  CHECK_THAT(changed("1,3,32,64", "1,3,64,32"), Catch::Contains("another input"));
  CHECK_THAT(changed("1,3,32,64", "?,3,32,64"), Catch::Contains("no whole number"));
  CHECK_THAT(changed("type=\"Result\"", "type=\"Add\""), Catch::Contains("one output"));
}
