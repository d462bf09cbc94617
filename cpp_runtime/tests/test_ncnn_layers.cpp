#include <catch.hpp>
#include <datareader.h>
#include <net.h>

#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engines/ncnn/graph.hpp"
#include "engines/ncnn/layers.hpp"
#include "engines/ncnn/simd.hpp"

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

struct Size {
  int width, height;
};

struct Run {
  Size size{7, 5};
  bool packing = true;
  int threads = 1;
  int lanes = 16;  // of the widest instruction set to use
  bool bf16 = false;
};

// What the network gives for a fixed input and fixed weights; `sizes` lists how many numbers there
// are, tagged as float32, or negative for biases, which have no tag.
std::vector<float> output_of(const std::string& text, const std::vector<int>& sizes, const Run& run = {}) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> number(-1, 1);
  std::vector<float> weights;
  for (const int size : sizes) {
    if (size > 0) weights.push_back(0);  // the tag
    for (int i = 0; i < std::abs(size); ++i) weights.push_back(number(random));
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(weights.data());
  most_lanes = run.lanes;
  ncnn::Net net;
  net.opt.num_threads = run.threads;
  net.opt.use_packing_layout = run.packing;
  net.opt.use_bf16_storage = run.bf16;
  net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = false;
  register_own_layers(net);
  REQUIRE(net.load_param_mem(text.c_str()) == 0);
  const ncnn::DataReaderFromMemory reader(bytes);
  REQUIRE(net.load_model(reader) == 0);
  ncnn::Mat input(run.size.width, run.size.height, 3), output;
  for (int c = 0; c < 3; ++c) {
    for (int i = 0; i < input.w * input.h; ++i) input.channel(c)[i] = number(random);
  }
  ncnn::Extractor extractor = net.create_extractor();
  extractor.input("in0", input);
  REQUIRE(extractor.extract("out0", output) == 0);
  std::vector<float> values{static_cast<float>(output.w), static_cast<float>(output.h)};
  for (int c = 0; c < output.c; ++c) {
    for (int i = 0; i < output.w * output.h; ++i) values.push_back(output.channel(c)[i]);
  }
  return values;
}

// Packed and planar, on one thread and three, and by the kernels of other CPUs.
std::vector<Run> runs_of(Size size) {
  return {{size}, {size, false}, {size, true, 3}, {size, true, 1, 8}, {size, true, 1, 4}, {size, false, 1, 4}};
}

// The sizes of the two convolutions of `network`.
std::vector<int> both_weights(int channels) {
  return {3 * channels, 3 * channels};
}

NcnnPlan plan_of(const NcnnGraph& graph, Size size) {
  return plan_ncnn(graph, size.width, size.height, "x");
}

// The largest difference of two outputs of the same shape.
double difference(const std::vector<float>& one, const std::vector<float>& other) {
  REQUIRE(one.size() == other.size());
  double most = 0;
  for (std::size_t i = 0; i < one.size(); ++i) most = std::max(most, std::abs(double{one[i]} - double{other[i]}));
  return most;
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
        const Run run{{7, 5}, packing};
        CHECK(output_of(ncnn_text(graph), both_weights(channels), run) == output_of(text, both_weights(channels), run));
      }
    }
  }
}

#if defined(__x86_64__)  // elsewhere ncnn's own layers run

TEST_CASE("our depth-wise convolution gives what ncnn's gives, in every pack") {
  const std::string leaky = " 9=2 -23310=1,1.00000001e-1", relu = " 9=1";
  for (const int channels : {2, 8, 12, 32, 58}) {
    for (const int kernel : {3, 5}) {
      for (const int stride : {1, 2}) {
        for (const Size size : {Size{20, 20}, {41, 3}, {7, 5}, {2, 9}, {1, 1}, {80, 6}}) {
          for (const bool bias : {true, false}) {
            for (const std::string& activation : {std::string(), leaky, relu}) {
              const std::string c = std::to_string(channels), k = std::to_string(kernel);
              const int count = channels * kernel * kernel;
              const std::string text =
                  "7767517\n3 3\nInput in0 0 1 in0\nConvolution a 1 1 in0 a 0=" + c +
                  " 1=1 5=0 6=" + std::to_string(3 * channels) + "\nConvolutionDepthWise b 1 1 a out0 0=" + c +
                  " 1=" + k + " 3=" + std::to_string(stride) + " 4=" + std::to_string(kernel / 2) +
                  " 5=" + (bias ? "1" : "0") + " 6=" + std::to_string(count) + " 7=" + c + activation + "\n";
              const NcnnGraph graph = parse_ncnn_param(text, "x");
              const NcnnGraph ours = use_own_depthwise(graph, plan_of(graph, size), ComputePrecision::fp32);
              REQUIRE(ours.layers[2].type == "NanoedgeDepthwise");
              std::vector<int> weights{3 * channels, count};
              if (bias) weights.push_back(-channels);
              for (const Run& run : runs_of(size)) {
                INFO(text << size.width << "x" << size.height << ", packing " << run.packing << ", lanes "
                          << run.lanes);
                REQUIRE(difference(output_of(ncnn_text(ours), weights, run), output_of(text, weights, run)) < 1e-5);
              }
            }
          }
        }
      }
    }
  }
}

TEST_CASE("our stem gives what ncnn's convolution and pooling give") {
  for (const int channels : {8, 24, 32, 56}) {
    for (const Size size : {Size{64, 48}, {63, 47}, {33, 31}, {5, 4}, {1, 1}, {320, 10}}) {
      for (const std::string activation : {" 9=2 -23310=1,1.00000001e-1", " 9=1", ""}) {
        const std::string text =
            "7767517\n3 3\nInput in0 0 1 in0\nConvolution a 1 1 in0 a 0=" + std::to_string(channels) +
            " 1=3 3=2 4=1 5=1 6=" + std::to_string(27 * channels) + activation +
            "\nPooling b 1 1 a out0 0=0 1=3 2=2 3=1 5=1\n";
        const NcnnGraph graph = parse_ncnn_param(text, "x");
        const NcnnGraph ours = fuse_stem(graph, plan_of(graph, size));
        REQUIRE(ours.layers.size() == 2);
        const std::vector<int> weights{27 * channels, -channels};
        for (const Run& run : runs_of(size)) {
          INFO(text << size.width << "x" << size.height << ", packing " << run.packing << ", lanes " << run.lanes);
          REQUIRE(difference(output_of(ncnn_text(ours), weights, run), output_of(text, weights, run)) < 1e-5);
        }
      }
    }
  }
}

#endif

TEST_CASE("convolutions that our layers cannot do stay ncnn's") {
  const std::string text =
      "7767517\n4 4\nInput in0 0 1 in0\nConvolution a 1 1 in0 a 0=8 1=3 3=2 4=1 5=1 6=216\n"
      "Pooling b 1 1 a b 0=0 1=3 2=2 3=1 5=1\nConvolutionDepthWise c 1 1 b out0 0=8 1=3 3=1 4=1 5=0 6=72 7=8\n";
  const auto types = [&](const std::string& from, const std::string& to) {
    std::string other = text;
    const NcnnGraph graph = parse_ncnn_param(other.replace(other.find(from), from.size(), to), "x");
    const NcnnPlan plan = plan_of(graph, {64, 64});
    return std::pair{fuse_stem(graph, plan).layers[1].type,
                     use_own_depthwise(graph, plan, ComputePrecision::fp32).layers[3].type};
  };
  const auto both = std::pair<std::string, std::string>{"NanoedgeStem", "NanoedgeDepthwise"};
  CHECK(types("Input", "Input") == both);
  for (const auto& [from, to] : {std::pair{"0=8 1=3 3=2", "0=8 1=3 2=2 3=2"},
                                 {"1=3 3=2 4=1", "1=3 3=1 4=1"},
                                 {"4=1 5=1 6=216", "4=1 15=2 5=1 6=216"},
                                 {"6=216", "6=216 9=4"},
                                 {"b 0=0", "b 0=1"},
                                 {"2=2 3=1 5=1", "2=1 3=1 5=1"}}) {
    INFO(to);
    CHECK(types(from, to).first == "Convolution");
  }
  for (const auto& [from, to] : {std::pair{"3=1 4=1 5=0", "3=1 4=0 5=0"},
                                 {"3=1 4=1 5=0", "3=1 4=1 14=0 5=0"},
                                 {"3=1 4=1 5=0", "2=2 3=1 4=1 5=0"},
                                 {"6=72 7=8", "6=288 7=2"},
                                 {"6=72 7=8", "6=72 7=8 9=3 -23310=2,0.0,6.0"}}) {
    INFO(to);
    CHECK(types(from, to).second == "ConvolutionDepthWise");
  }
}

TEST_CASE("in bf16 only what ncnn calculates wrongly is replaced, and right") {
  for (const int channels : {26, 32}) {
    const std::string c = std::to_string(channels);
    const std::string text = "7767517\n3 3\nInput in0 0 1 in0\nConvolution a 1 1 in0 a 0=" + c +
                             " 1=1 5=0 6=" + std::to_string(3 * channels) +
                             "\nConvolutionDepthWise b 1 1 a out0 0=" + c +
                             " 1=5 4=2 6=" + std::to_string(25 * channels) + " 7=" + c + "\n";
    const NcnnGraph graph = parse_ncnn_param(text, "x");
    const NcnnPlan plan = plan_of(graph, {20, 20});
    const NcnnGraph ours = with_own_layers(graph, plan, ComputePrecision::bf16);
    const std::vector<int> weights{3 * channels, 25 * channels};
    Run run{{20, 20}};
    const std::vector<float> exact = output_of(text, weights, run);
    run.bf16 = true;
#if defined(__x86_64__)
    CHECK((ours.layers[2].type == "NanoedgeDepthwise") == (channels == 26));
#endif
    CHECK(difference(output_of(ncnn_text(ours), weights, run), exact) < 0.2);
  }
}

TEST_CASE("slopes that ncnn reads in another way are read so too") {
  const auto stem = [](const std::string& slope) {
    return "7767517\n3 3\nInput in0 0 1 in0\nConvolution a 1 1 in0 a 0=8 1=3 3=2 4=1 6=216 9=2 -23310=1," + slope +
           "\nPooling b 1 1 a out0 0=0 1=3 2=2 3=1 5=1\n";
  };
  const Run run{{32, 24}};
  for (const std::string slope : {"2", "0", "0.5", "-0.5"}) {
    const NcnnGraph graph = parse_ncnn_param(stem(slope), "x");
    const NcnnGraph ours = with_own_layers(graph, plan_of(graph, run.size), ComputePrecision::fp32);
    INFO(slope);
    CHECK(difference(output_of(ncnn_text(ours), {216}, run), output_of(stem(slope), {216}, run)) < 1e-5);
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
