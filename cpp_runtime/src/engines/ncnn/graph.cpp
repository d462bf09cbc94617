#include "engines/ncnn/graph.hpp"

#include <cstdio>
#include <set>

namespace nanoedge {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

double value_of(const NcnnLayer& layer, int id, double preset) {
  const auto found = layer.values.find(id);
  return found == layer.values.end() || found->second.numbers.empty() ? preset : found->second.numbers.front();
}

// Which layer reads each blob; kNone for the outputs.
std::vector<std::size_t> readers_of(const NcnnGraph& graph) {
  std::vector<std::size_t> readers(graph.blobs.size(), kNone);
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    for (const std::size_t blob : graph.layers[i].inputs) readers[blob] = i;
  }
  return readers;
}

bool same_images(const NcnnShape& one, const NcnnShape& other) {
  return one.dims == 3 && other.dims == 3 && one.w == other.w && one.h == other.h && one.c == other.c;
}

bool is_shuffle_by_two(const NcnnLayer& layer) {
  return layer.type == "ShuffleChannel" && value_of(layer, 0, 1) == 2 && value_of(layer, 1, 0) == 0;
}

bool cuts_channels_in_halves(const NcnnLayer& layer, const NcnnPlan& plan) {
  return layer.type == "Slice" && layer.outputs.size() == 2 && value_of(layer, 1, 0) == 0 &&
         same_images(plan.blobs[layer.outputs[0]], plan.blobs[layer.outputs[1]]);
}

// Whether a parameter and the one that follows it for the other axis (preset: the same) have this value.
bool both(const NcnnLayer& layer, int id, int other, double preset, double wanted) {
  const double value = value_of(layer, id, preset);
  return value == wanted && value_of(layer, other, value) == wanted;
}

// A square kernel without dilation, the same padding with zeros on all sides, no or a (leaky) ReLU; float weights.
bool is_plain_convolution(const NcnnLayer& layer, int kernel, int stride, int padding) {
  const double activation = value_of(layer, 9, 0);
  return both(layer, 1, 11, 0, kernel) && both(layer, 2, 12, 1, 1) && both(layer, 3, 13, 1, stride) &&
         both(layer, 4, 14, 0, padding) && both(layer, 4, 15, 0, padding) && both(layer, 14, 16, padding, padding) &&
         value_of(layer, 18, 0) == 0 && value_of(layer, 8, 0) == 0 && value_of(layer, 19, 0) == 0 &&
         (activation == 0 || activation == 1 || activation == 2);
}

bool halves_by_maximum(const NcnnLayer& layer) {
  return layer.type == "Pooling" && value_of(layer, 0, 0) == 0 && value_of(layer, 4, 0) == 0 &&
         value_of(layer, 7, 0) == 0 && value_of(layer, 5, 0) == 1 && both(layer, 1, 11, 0, 3) &&
         both(layer, 2, 12, 1, 2) && both(layer, 3, 13, 0, 1) && both(layer, 3, 14, 0, 1) && both(layer, 3, 15, 0, 1);
}

NcnnGraph without(NcnnGraph graph, const std::set<std::size_t>& gone) {
  std::vector<NcnnLayer> kept;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    if (gone.count(i) == 0) kept.push_back(std::move(graph.layers[i]));
  }
  graph.layers = std::move(kept);
  return graph;
}

}  // namespace

NcnnGraph fuse_shuffles(const NcnnGraph& graph, const NcnnPlan& plan) {
  const std::vector<std::size_t> readers = readers_of(graph);
  NcnnGraph fused = graph;
  std::set<std::size_t> gone;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const NcnnLayer& concat = graph.layers[i];
    if (concat.type != "Concat" || concat.inputs.size() != 2 || value_of(concat, 0, 0) != 0) continue;
    const NcnnShape& half = plan.blobs[concat.inputs[0]];
    if (!same_images(half, plan.blobs[concat.inputs[1]]) || half.c % 2 != 0) continue;
    const std::size_t shuffle = readers[concat.outputs[0]];
    if (shuffle == kNone || !is_shuffle_by_two(graph.layers[shuffle])) continue;
    std::size_t last = readers[graph.layers[shuffle].outputs[0]];
    if (last == kNone || !cuts_channels_in_halves(graph.layers[last], plan)) last = shuffle;
    NcnnLayer& layer = fused.layers[last];
    layer.type = "NanoedgeShuffle";
    layer.inputs = concat.inputs;
    layer.values.clear();
    gone.insert(i);
    if (last != shuffle) gone.insert(shuffle);
  }
  return without(std::move(fused), gone);
}

NcnnGraph fuse_stem(const NcnnGraph& graph, const NcnnPlan& plan) {
  const std::vector<std::size_t> readers = readers_of(graph);
  NcnnGraph fused = graph;
  std::set<std::size_t> gone;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const NcnnLayer& layer = graph.layers[i];
    if (layer.type != "Convolution" || !is_plain_convolution(layer, 3, 2, 1)) continue;
    const std::size_t pooling = readers[layer.outputs[0]];
    // A falling slope below 0 does not go together with a maximum that is taken before it.
    if (value_of(layer, 9, 0) == 2 && value_of(layer, 10, 0) < 0) continue;
    if (plan.blobs[layer.inputs[0]].c != 3 || plan.blobs[layer.outputs[0]].c % 8 != 0) continue;
    if (pooling == kNone || !halves_by_maximum(graph.layers[pooling])) continue;
    fused.layers[i].type = "NanoedgeStem";
    fused.layers[i].outputs = graph.layers[pooling].outputs;
    gone.insert(pooling);
  }
  return without(std::move(fused), gone);
}

NcnnGraph use_own_depthwise(const NcnnGraph& graph, const NcnnPlan& plan, ComputePrecision compute) {
  NcnnGraph changed = graph;
  for (NcnnLayer& layer : changed.layers) {
    if (layer.type != "ConvolutionDepthWise") continue;
    const auto kernel = static_cast<int>(value_of(layer, 1, 0)), stride = static_cast<int>(value_of(layer, 3, 1));
    if ((kernel != 3 && kernel != 5) || (stride != 1 && stride != 2)) continue;
    const double channels = value_of(layer, 0, 0);
    if (!is_plain_convolution(layer, kernel, stride, kernel / 2) || value_of(layer, 7, 1) != channels) continue;
    if (static_cast<double>(plan.blobs[layer.inputs[0]].c) != channels) continue;
    // In bf16 ncnn's own layers are the faster ones, but wrong for 5x5 with channels that it cannot pack.
    if (compute != ComputePrecision::fp32 && plan.blobs[layer.inputs[0]].c % 4 == 0) continue;
    layer.type = "NanoedgeDepthwise";
  }
  return changed;
}

NcnnGraph with_own_layers(const NcnnGraph& graph, const NcnnPlan& plan, [[maybe_unused]] ComputePrecision compute) {
  NcnnGraph own = fuse_shuffles(graph, plan);
#if defined(__x86_64__)
  if (compute == ComputePrecision::fp32) own = fuse_stem(own, plan);
  own = use_own_depthwise(own, plan, compute);
#endif
  return own;
}

std::string ncnn_text(const NcnnGraph& graph) {
  std::size_t blobs = 0;
  std::string lines;
  for (const NcnnLayer& layer : graph.layers) {
    blobs += layer.outputs.size();
    lines += layer.type + " " + layer.name + " " + std::to_string(layer.inputs.size()) + " " +
             std::to_string(layer.outputs.size());
    for (const std::size_t blob : layer.inputs) lines += " " + graph.blobs[blob];
    for (const std::size_t blob : layer.outputs) lines += " " + graph.blobs[blob];
    for (const auto& [id, value] : layer.values) {
      lines += " " + std::to_string(value.is_list ? -23300 - id : id) + "=";
      if (value.is_list) lines += std::to_string(value.numbers.size());
      for (std::size_t i = 0; i < value.numbers.size(); ++i) {
        char text[32];
        // A whole number without a point, another one with it: ncnn tells them apart so.
        std::snprintf(text, sizeof text, value.is_whole ? "%.0f" : "%.9e", value.numbers[i]);
        lines += (value.is_list || i > 0 ? "," : "") + std::string(text);
      }
    }
    lines += "\n";
  }
  return "7767517\n" + std::to_string(graph.layers.size()) + " " + std::to_string(blobs) + "\n" + lines;
}

}  // namespace nanoedge
