#include <catch.hpp>

#include <cstring>
#include <string>
#include <vector>

#include "bundle/manifest.hpp"
#include "manifest_text.hpp"
#include "refusal.hpp"
#include "validation/ncnn_model.hpp"
#include "validation/ncnn_param.hpp"
#include "validation/ncnn_shapes.hpp"

using namespace nanoedge;

namespace {

// Input 3x32x64 -> 34 channels at stride 8 and 32 -> [34, 34].
const char* const kGood =
    "7767517\n"
    "9 10\n"
    "Input in0 0 1 in0\n"
    "Convolution a 1 1 in0 a 0=34 1=1 3=8 5=1 6=102 9=2 -23310=1,0.1\n"
    "Split s 1 2 a a1 a2\n"
    "Pooling p 1 1 a1 p 0=0 1=4 2=4 5=1\n"
    "Reshape r1 1 1 a2 r1 0=32 1=34\n"
    "Reshape r2 1 1 p r2 0=2 1=34\n"
    "Concat c 2 1 r1 r2 c 0=1\n"
    "Permute t 1 1 c t 0=1\n"
    "ReLU o 1 1 t out0 0=0.1\n";

Bytes bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

// The .bin of kGood: 102 weights behind a tag, 34 biases.
Bytes weights(std::uint32_t tag, std::size_t weight_bytes) {
  Bytes bytes(4 + weight_bytes + 34 * 4);
  std::memcpy(bytes.data(), &tag, 4);
  return bytes;
}

const Bytes kFloat16 = weights(0x01306B47, 204), kFloat32 = weights(0, 408);

std::string refused(const std::string& param, const Bytes& bin = kFloat16) {
  const Manifest manifest = parse_manifest(signed_text(manifest_document()), "m.json");
  return refusal([&] { validate_ncnn(bytes_of(param), bin, manifest, manifest.engines.front(), "x.param", "x.bin"); });
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(text.find(from) != std::string::npos);
  return text.replace(text.find(from), from.size(), to);
}

std::string changed(const std::string& from, const std::string& to) {
  return refused(replaced(kGood, from, to));
}

}  // namespace

TEST_CASE("a good network passes, with weights in fp16 or fp32") {
  CHECK(refused(kGood).empty());
  CHECK(refused(kGood, kFloat32).empty());
}

TEST_CASE("weights must fill the .bin exactly") {
  Bytes bin = kFloat16;
  bin.pop_back();
  CHECK_THAT(refused(kGood, bin), Catch::Contains("ends before the weights of the layer in line 4"));
  bin = kFloat16;
  bin.push_back(0);
  CHECK_THAT(refused(kGood, bin), Catch::Contains("1 bytes more than its network has weights"));
  CHECK_THAT(refused(kGood, {}), Catch::Contains("ends before"));
  CHECK_THAT(refused(kGood, weights(0x000D4B38, 204)), Catch::Contains("stored in a way"));
}

TEST_CASE("the text must be complete and plain") {
  CHECK_THAT(changed("7767517", "7767518"), Catch::Contains("magic number"));
  CHECK_THAT(changed("9 10", "10 10"), Catch::Contains("ends before all of its layers"));
  CHECK_THAT(changed("9 10", "8 10"), Catch::Contains("not 10"));
  CHECK_THAT(changed("9 10", "9 11"), Catch::Contains("has 10 blobs, not 11"));
  CHECK_THAT(changed("9 10", "9999999 10"), Catch::Contains("number of layers"));
  CHECK_THAT(changed("9 10", "-1 10"), Catch::Contains("number of layers"));
  CHECK_THAT(refused(std::string(kGood) + "ReLU z 1 1 out0 z\n"), Catch::Contains("goes on after its last layer"));
  CHECK_THAT(refused(""), Catch::Contains("ends before"));
  CHECK_THAT(changed("Convolution a", "Convolution " + std::string(300, 'n')), Catch::Contains("1 to 128 letters"));
  CHECK_THAT(changed("Convolution a", "Convolution \x01"), Catch::Contains("no plain letter"));
}

TEST_CASE("blobs are written before they are read, once each") {
  CHECK_THAT(changed("Split s 1 2 a", "Split s 1 2 p"), Catch::Contains("which no layer before it writes"));
  CHECK_THAT(changed("1 1 a2 r1", "1 1 a1 r1"), Catch::Contains("a second time"));
  CHECK_THAT(changed("1 1 p r2", "1 1 p r1"), Catch::Contains("writes the blob r1 a second time"));
  CHECK_THAT(changed("Concat c 2 1", "Concat c 65 1"), Catch::Contains("number of inputs"));
}

TEST_CASE("parameters must be numbers that ncnn can take") {
  CHECK_THAT(changed("3=8", "3=eight"), Catch::Contains("is no number"));
  CHECK_THAT(changed("3=8", "3=nan"), Catch::Contains("is no number"));
  CHECK_THAT(changed("3=8", "3=99999999999"), Catch::Contains("is no number"));
  CHECK_THAT(changed("3=8", "99=8"), Catch::Contains("unknown parameter 99"));
  CHECK_THAT(changed("3=8", "-5=8"), Catch::Contains("unknown parameter -5"));
  CHECK_THAT(changed("3=8", "-23400=1,3"), Catch::Contains("unknown parameter"));
  CHECK_THAT(changed("3=8", "3=8 3=8"), Catch::Contains("twice"));
  CHECK_THAT(changed("3=8", "3"), Catch::Contains("without '='"));
  CHECK_THAT(changed("-23310=1,0.1", "-23310=2,0.1"), Catch::Contains("length is not the one it says"));
  CHECK_THAT(changed("-23310=1,0.1", "-23310=99999999,0.1"), Catch::Contains("impossible length"));
  CHECK_THAT(changed("-23310=1,0.1", "-23310=0"), Catch::Contains("unusable parameter 10"));
  CHECK_THAT(changed("3=8", "-23303=0"), Catch::Contains("unusable parameter 3"));
  CHECK_THAT(changed("0=32 1=34", "0=32 2=34"), Catch::Contains("unusable parameter 1"));
  CHECK_THAT(changed("3=8", "3=0"), Catch::Contains("unusable parameter 3"));
  CHECK_THAT(changed("3=8", "3=8 17=1"), Catch::Contains("unusable parameter 17"));
  CHECK_THAT(changed("3=8", "3=8 8=101"), Catch::Contains("unusable parameter 8"));
  CHECK_THAT(changed("0=34 1=1", "0=1000000 1=1"), Catch::Contains("unusable parameter 0"));
}

TEST_CASE("layers outside the allow-list do not run") {
  CHECK_THAT(changed("ReLU o", "Requantize o"), Catch::Contains("does not run"));
  CHECK_THAT(changed("ReLU o 1 1 t out0", "Input o 0 1 out0"), Catch::Contains("second input"));
}

TEST_CASE("shapes must fit") {
  CHECK_THAT(changed("6=102", "6=103"), Catch::Contains("wrong number of weights"));
  CHECK_THAT(changed("1=1 3=8", "1=31 3=8"), Catch::Contains("wrong number of weights"));
  CHECK_THAT(changed("0=32 1=34", "0=33 1=34"), Catch::Contains("another size"));
  CHECK_THAT(changed("0=32 1=34", "0=2147483647 1=2147483647"), Catch::Contains("another size"));
  CHECK_THAT(changed("0=2 1=34", "0=4 1=17"), Catch::Contains("do not fit"));
  CHECK_THAT(changed("c 0=1", "c 0=2"), Catch::Contains("axis"));
  CHECK_THAT(changed("1=4 2=4", "1=5 2=4"), Catch::Contains("kernel larger than its input"));
  CHECK_THAT(changed("0=34 1=1", "0=35 1=1"), Catch::Contains("wrong number of weights"));
}

TEST_CASE("the manifest's names and sizes must be the network's") {
  CHECK_THAT(changed("t out0", "t out9"), Catch::Contains("has no blob 'out0'"));
  nlohmann::json document = manifest_document();
  document["classes"] = {"cat", "dog", "cow"};
  const Manifest manifest = parse_manifest(signed_text(document), "m.json");
  CHECK_THAT(refusal([&] {
               validate_ncnn(bytes_of(kGood), kFloat16, manifest, manifest.engines.front(), "x.param", "x.bin");
             }),
             Catch::Contains("gives 34 x 34 numbers, the manifest says 34 x 35"));
}

TEST_CASE("a network that would fill the memory is refused before anything is allocated") {
  std::string text = "7767517\n40 40\nInput in0 0 1 in0\n";
  std::string before = "in0";
  for (int i = 0; i < 39; ++i) {
    const std::string next = i == 38 ? "out0" : "b" + std::to_string(i);
    text += "Interp i" + std::to_string(i) + " 1 1 " + before + " " + next + " 0=1 1=4.0 2=4.0 6=0\n";
    before = next;
  }
  CHECK_THAT(refused(text), Catch::Contains("more numbers than any network"));
}

TEST_CASE("slices share what is left as ncnn does") {
  const auto plan = [](const std::string& slice, int outputs) {
    std::string text =
        "7767517\n2 " + std::to_string(1 + outputs) + "\nInput i 0 1 i\nSlice s 1 " + std::to_string(outputs) + " i";
    for (int i = 0; i < outputs; ++i) text += " o" + std::to_string(i);
    return plan_ncnn(parse_ncnn_param(text + " " + slice + "\n", "x"), 10, 6, "x");
  };
  const NcnnPlan two = plan("-23300=2,-233,-233 1=1", 2);
  CHECK(two.blobs[1].h == 3);
  CHECK(two.blobs[2].h == 3);
  const NcnnPlan three = plan("-23300=3,4,-233,-233 1=2", 3);
  CHECK(three.blobs[1].w == 4);
  CHECK(three.blobs[3].w == 3);
  CHECK_THAT(refusal([&] { plan("-23300=2,4,4 1=1", 2); }), Catch::Contains("parts that its blob does not have"));
  CHECK_THAT(refusal([&] { plan("-23300=2,2,2 1=1", 2); }), Catch::Contains("leaves a part"));
  CHECK_THAT(refusal([&] { plan("-23300=2,-1,7 1=1", 2); }), Catch::Contains("parts that its blob does not have"));
}
