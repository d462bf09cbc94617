#include "engines/ncnn_graph.hpp"

#include <cstdio>
#include <set>

namespace nanoedge {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

double value_of(const NcnnLayer& layer, int id, double preset) {
  const auto found = layer.values.find(id);
  return found == layer.values.end() ? preset : found->second.numbers.front();
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
  std::vector<NcnnLayer> kept;
  for (std::size_t i = 0; i < fused.layers.size(); ++i) {
    if (gone.count(i) == 0) kept.push_back(std::move(fused.layers[i]));
  }
  fused.layers = std::move(kept);
  return fused;
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
