#include "validation/ncnn_model.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

namespace nanoedge {
namespace {

constexpr std::uint32_t kTagFloat32 = 0, kTagFloat16 = 0x01306B47;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorKind::bundle, message + "; the bundle is damaged or not made by NanoEdge.");
}

void check_weights(const NcnnPlan& plan, const Bytes& weights, const std::string& place) {
  std::uint64_t at = 0;
  const auto take = [&](std::uint64_t bytes, int line) {
    if (bytes > weights.size() - at) {
      refuse(place + " ends before the weights of the layer in line " + std::to_string(line) + " of its .param");
    }
    at += bytes;
  };
  for (const NcnnWeights& run : plan.weights) {
    auto size = static_cast<std::uint64_t>(run.count) * sizeof(float);
    if (run.tagged) {
      std::uint32_t tag = 0;
      take(sizeof tag, run.line);
      std::memcpy(&tag, weights.data() + at - sizeof tag, sizeof tag);
      if (tag == kTagFloat16) {
        size = (static_cast<std::uint64_t>(run.count) * 2 + 3) / 4 * 4;
      } else if (tag != kTagFloat32) {
        refuse(place + ": the weights of the layer in line " + std::to_string(run.line) +
               " of its .param are stored in a way that this NanoEdge does not read");
      }
    }
    take(size, run.line);
  }
  if (at != weights.size()) {
    refuse(place + " holds " + std::to_string(weights.size() - at) + " bytes more than its network has weights");
  }
}

std::size_t find_blob(const NcnnGraph& graph, const std::string& name, const std::string& place) {
  const auto found = std::find(graph.blobs.begin(), graph.blobs.end(), name);
  if (found == graph.blobs.end()) refuse(place + " has no blob '" + name + "', which the manifest names");
  return static_cast<std::size_t>(found - graph.blobs.begin());
}

}  // namespace

NcnnModel validate_ncnn(const Bytes& param, const Bytes& weights, const Manifest& manifest, const EngineEntry& entry,
                        const std::string& param_place, const std::string& weights_place) {
  NcnnGraph graph = parse_ncnn_param({param.data(), param.size()}, param_place);
  if (graph.layers.front().type != "Input") refuse(param_place + " does not begin with its input");
  NcnnPlan plan = plan_ncnn(graph, manifest.input.width, manifest.input.height, param_place);
  if (find_blob(graph, entry.input, param_place) != graph.layers.front().outputs.front()) {
    refuse(param_place + ": '" + entry.input + "' is not its input");
  }
  const std::size_t output = find_blob(graph, entry.outputs.front(), param_place);
  for (const NcnnLayer& layer : graph.layers) {
    if (std::find(layer.inputs.begin(), layer.inputs.end(), output) != layer.inputs.end()) {
      refuse(param_place + ": '" + entry.outputs.front() + "' is not its last blob");
    }
  }
  const NcnnShape& shape = plan.blobs[output];
  const std::int64_t priors = manifest.decoder.prior_count(manifest.input.width, manifest.input.height);
  if (shape.dims != 2 || shape.h != priors || shape.w != manifest.output_channels()) {
    refuse(param_place + " gives " + std::to_string(shape.h) + " x " + std::to_string(shape.w) +
           " numbers, the manifest says " + std::to_string(priors) + " x " +
           std::to_string(manifest.output_channels()));
  }
  check_weights(plan, weights, weights_place);
  return {std::move(graph), std::move(plan)};
}

}  // namespace nanoedge
