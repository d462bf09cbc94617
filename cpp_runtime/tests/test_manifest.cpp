#include <catch.hpp>

#include <functional>

#include "bundle/manifest.hpp"
#include "manifest_text.hpp"
#include "refusal.hpp"

using namespace nanoedge;

namespace {

std::string refused(const std::function<void(nlohmann::json&)>& change) {
  nlohmann::json document = manifest_document();
  change(document);
  return refusal([&] { parse_manifest(signed_text(document), "m.json"); });
}

}  // namespace

TEST_CASE("a good manifest is read as it stands") {
  const Manifest manifest = parse_manifest(signed_text(manifest_document()), "m.json");
  CHECK(manifest.name == "small");
  CHECK(manifest.classes == std::vector<std::string>{"cat", "dog"});
  CHECK(manifest.input.height == 32);
  CHECK(manifest.input.std[1] == 57.12F);
  CHECK(manifest.decoder.strides == std::vector<int>{8, 32});
  CHECK(manifest.decoder.prior_count(64, 32) == 34);
  CHECK(manifest.output_channels() == 34);
  CHECK(manifest.postprocess.score_threshold == 0.35F);
  CHECK(manifest.engines.front().files.back() == "model.ncnn.bin");
  CHECK(manifest.files.at("sample.png").size == 10);
}

TEST_CASE("what is no manifest is refused") {
  const auto parse = [](const std::string& text) { return refusal([&] { parse_manifest(text, "m.json"); }); };
  CHECK_THAT(parse(""), Catch::Contains("cannot be read"));
  CHECK_THAT(parse("[]"), Catch::Contains("is not the manifest"));
  CHECK_THAT(parse("{}"), Catch::Contains("is not the manifest"));
  CHECK_THAT(parse(R"({"format": 3})"), Catch::Contains("is not the manifest"));
  CHECK_THAT(parse(std::string(100'000, '[')), Catch::Contains("nested deeper"));
  CHECK_THAT(parse(std::string(5'000'000, ' ')), Catch::Contains("larger than any manifest"));
  CHECK_THAT(parse(R"({"format": "nanoedge-bundle", "version": 2})"), Catch::Contains("update NanoEdge"));
  CHECK_THAT(parse(R"({"format": "nanoedge-bundle", "version": 1, "x": NaN})"), Catch::Contains("cannot be read"));
}

TEST_CASE("a manifest that was changed after it was signed is refused") {
  std::string text = signed_text(manifest_document());
  text.replace(text.find("0.35"), 4, "0.36");
  CHECK_THAT(refusal([&] { parse_manifest(text, "m.json"); }), Catch::Contains("digest does not fit"));
}

TEST_CASE("each key is checked, and the sentence names it") {
  using Json = nlohmann::json;
  const struct {
    std::function<void(Json&)> change;
    const char* sentence;
  } cases[] = {
      {[](Json& m) { m["input"].erase("width"); }, "'input.width' is missing"},
      {[](Json& m) { m["input"]["widht"] = 3; }, "Unknown key 'input.widht'"},
      {[](Json& m) { m["extra"] = 1; }, "Unknown key 'extra'"},
      {[](Json& m) { m["input"]["width"] = 31; }, "input.width must be at least 32"},
      {[](Json& m) { m["input"]["width"] = 100000; }, "input.width must be at most 4096"},
      {[](Json& m) { m["input"]["width"] = 320.5; }, "input.width must be a whole number"},
      {[](Json& m) { m["input"]["width"] = "320"; }, "input.width must be a whole number"},
      {[](Json& m) { m["input"]["width"] = true; }, "input.width must be a whole number"},
      {[](Json& m) { m["input"]["width"] = std::uint64_t{1} << 63; }, "input.width must be at most"},
      {[](Json& m) { m["input"]["channels"] = "rgb"; }, "input.channels has the unknown value"},
      {[](Json& m) { m["input"]["std"] = {1, 0, 1}; }, "input.std must hold positive numbers"},
      {[](Json& m) { m["input"]["std"] = {1, 1e-60, 1}; }, "input.std must hold positive numbers"},
      {[](Json& m) { m["input"]["mean"] = {1, 1e300, 1}; }, "input.mean must hold numbers"},
      {[](Json& m) { m["input"]["mean"] = {1, 2}; }, "input.mean must hold three numbers"},
      {[](Json& m) { m["input"] = 3; }, "input must be an object"},
      {[](Json& m) { m["decoder"]["type"] = "yolo"; }, "asks for the decoder 'yolo'"},
      {[](Json& m) { m["decoder"]["strides"] = Json::array(); }, "decoder.strides"},
      {[](Json& m) { m["decoder"]["strides"] = {0}; }, "decoder.strides"},
      {[](Json& m) { m["decoder"]["reg_max"] = 0; }, "decoder.reg_max"},
      {[](Json& m) { m["postprocess"]["nms_iou"] = 1.5; }, "postprocess.nms_iou must be between 0 and 1"},
      {[](Json& m) { m["postprocess"]["class_aware"] = 1; }, "must be true or false"},
      {[](Json& m) { m["classes"] = Json::array(); }, "classes must not be empty"},
      {[](Json& m) { m["classes"] = {"a", "a"}; }, "two classes have the same name"},
      {[](Json& m) { m["classes"] = {"a", 3}; }, "classes must be a list of texts"},
      {[](Json& m) { m["engines"] = Json::array(); }, "engines must not be empty"},
      {[](Json& m) { m["engines"].push_back(m["engines"][0]); }, "stands twice"},
      {[](Json& m) { m["engines"][0]["files"][0] = "../secret"; }, "plain file names"},
      {[](Json& m) { m["engines"][0]["files"][0] = "other.bin"; }, "other.bin is used but not listed"},
      {[](Json& m) { m["engines"][0]["layout"] = "channels,priors"; }, "engines.0.layout"},
      {[](Json& m) { m["engines"][0]["outputs"] = {""}; }, "empty name"},
      {[](Json& m) { m["files"]["manifest.json"] = m["files"]["sample.png"]; }, "cannot list itself"},
      {[](Json& m) { m["files"]["/etc/passwd"] = m["files"]["sample.png"]; }, "not a plain file name"},
      {[](Json& m) { m["files"]["sample.png"]["sha256"] = "ABC"; }, "64 hexadecimal digits"},
      {[](Json& m) { m["files"]["sample.png"]["size"] = -1; }, "files.sample.png.size must be at least 0"},
      {[](Json& m) { m["parity"]["passed"] = false; }, "parity.passed must be true"},
      {[](Json& m) { m["name"] = ".."; }, "plain file name"},
      {[](Json& m) { m["task"] = "segment"; }, "task has the unknown value"},
      {[](Json& m) { m["version"] = 0; }, "version must be at least 1"},
      {[](Json& m) { m["provenance"]["who"] = "x"; }, "Unknown key 'provenance.who'"},
  };
  for (const auto& one : cases) CHECK_THAT(refused(one.change), Catch::Contains(one.sentence));
}

TEST_CASE("an engine that this version does not know is no reason to refuse the others") {
  CHECK(refused([](nlohmann::json& m) {
          auto entry = m["engines"][0];
          entry["engine"] = "later-engine";
          m["engines"].push_back(entry);
        }).empty());
}
