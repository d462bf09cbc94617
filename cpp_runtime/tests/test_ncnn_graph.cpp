#include <catch.hpp>
#include <datareader.h>
#include <net.h>

#include <random>
#include <string>
#include <vector>

#include "engines/ncnn_graph.hpp"
#include "engines/ncnn_shuffle.hpp"

using namespace nanoedge;

namespace {

// Two branches of `channels` each, mixed; then cut into halves and joined by subtraction, or kept whole.
std::string network(int channels, bool halves) {
  const std::string c = std::to_string(channels), weights = std::to_string(3 * channels);
  std::string text = halves ? "7767517\n8 10\n" : "7767517\n6 7\n";
  text += "Input in0 0 1 in0\nSplit s 1 2 in0 s1 s2\n";
  text += "Convolution a 1 1 s1 a 0=" + c + " 1=1 5=0 6=" + weights + "\n";
  text += "Convolution b 1 1 s2 b 0=" + c + " 1=1 5=0 6=" + weights + " 9=2 -23310=1,1.00000001e-1\n";
  text += "Concat c 2 1 a b c 0=0\n";
  text += halves ? "ShuffleChannel d 1 1 c d 0=2 1=0\nSlice e 1 2 d e1 e2 -23300=2,-233,-233 1=0\n"
                   "BinaryOp f 2 1 e1 e2 out0 0=1\n"
                 : "ShuffleChannel d 1 1 c out0 0=2 1=0\n";
  return text;
}

// What the network gives for a fixed input and fixed weights.
std::vector<float> output_of(const std::string& text, int channels, bool packing) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> number(-1, 1);
  std::vector<float> weights;
  for (int layer = 0; layer < 2; ++layer) {
    weights.push_back(0);  // the tag of float32
    for (int i = 0; i < 3 * channels; ++i) weights.push_back(number(random));
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(weights.data());
  ncnn::Net net;
  net.opt.num_threads = 1;
  net.opt.use_packing_layout = packing;
  net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = false;
  net.register_custom_layer("NanoedgeShuffle", NcnnShuffle::create);
  REQUIRE(net.load_param_mem(text.c_str()) == 0);
  const ncnn::DataReaderFromMemory reader(bytes);
  REQUIRE(net.load_model(reader) == 0);
  ncnn::Mat input(7, 5, 3), output;
  for (int c = 0; c < 3; ++c) {
    for (int i = 0; i < 35; ++i) input.channel(c)[i] = number(random);
  }
  ncnn::Extractor extractor = net.create_extractor();
  extractor.input("in0", input);
  REQUIRE(extractor.extract("out0", output) == 0);
  std::vector<float> values;
  for (int c = 0; c < output.c; ++c) {
    for (int i = 0; i < 35; ++i) values.push_back(output.channel(c)[i]);
  }
  return values;
}

NcnnGraph fused(const std::string& text) {
  const NcnnGraph graph = parse_ncnn_param(text, "x");
  return fuse_shuffles(graph, plan_ncnn(graph, 7, 5, "x"));
}

}  // namespace

TEST_CASE("the fused shuffle gives what ncnn's three layers give, in every pack") {
  for (const int channels : {2, 6, 12, 24, 58, 48, 116}) {
    for (const bool halves : {true, false}) {
      for (const bool packing : {true, false}) {
        const std::string text = network(channels, halves);
        const NcnnGraph graph = fused(text);
        CHECK(graph.layers.size() == (halves ? 6 : 5));
        CHECK(output_of(ncnn_text(graph), channels, packing) == output_of(text, channels, packing));
      }
    }
  }
}

TEST_CASE("what is no shuffle of two equal blobs stays as it is") {
  const std::string text = network(6, true);
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string other = text;
    return fused(other.replace(other.find(from), from.size(), to)).layers.size();
  };
  CHECK(fused(text).layers.size() == 6);
  CHECK(changed("d 0=2", "d 0=3") == 8);
  CHECK(changed("1=0\nSlice", "1=1\nSlice") == 8);
  CHECK(changed("c 0=0\n", "c 0=1\n") == 8);
}

TEST_CASE("a graph that is written is read as the same graph") {
  const std::string text = network(6, true);
  const NcnnGraph once = parse_ncnn_param(text, "x"), twice = parse_ncnn_param(ncnn_text(once), "x");
  REQUIRE(once.layers.size() == twice.layers.size());
  for (std::size_t i = 0; i < once.layers.size(); ++i) {
    CHECK(once.layers[i].name == twice.layers[i].name);
    CHECK(once.layers[i].inputs == twice.layers[i].inputs);
    for (const auto& [id, value] : once.layers[i].values) {
      CHECK(twice.layers[i].values.at(id).numbers.size() == value.numbers.size());
      for (std::size_t k = 0; k < value.numbers.size(); ++k) {
        CHECK(static_cast<float>(twice.layers[i].values.at(id).numbers[k]) == static_cast<float>(value.numbers[k]));
      }
    }
  }
}
