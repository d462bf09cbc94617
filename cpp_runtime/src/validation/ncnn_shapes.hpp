// Shapes of an ncnn network's blobs and sizes of its weights, inferred before ncnn allocates anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "validation/ncnn_param.hpp"

namespace nanoedge {

// A blob: 1 dimension [w], 2 [h, w] or 3 [c, h, w].
struct NcnnShape {
  int dims = 0;
  std::int64_t w = 1, h = 1, c = 1;
  std::int64_t size() const { return w * h * c; }
};

// One run of numbers in the .bin: behind a tag that says how they are stored, or plain float32.
struct NcnnWeights {
  std::int64_t count = 0;
  bool tagged = false;
  int line = 0;  // of the layer in the .param
};

struct NcnnPlan {
  std::vector<NcnnShape> blobs;
  std::vector<NcnnWeights> weights;  // in the order of the file
};

// Follows an input of [3, height, width] through the network. Layer types outside the allow-list, parameters out of
// range, shapes that do not fit and sizes beyond the limits are refused. Throws Error (bundle).
NcnnPlan plan_ncnn(const NcnnGraph& graph, int width, int height, const std::string& place);

}  // namespace nanoedge
