#pragma once

#include <string>

#include "bundle/bundle.hpp"
#include "validation/ncnn_param.hpp"
#include "validation/ncnn_shapes.hpp"

namespace nanoedge {

// A network that was checked.
struct NcnnModel {
  NcnnGraph graph;
  NcnnPlan plan;
};

// Checks an ncnn network before ncnn sees it: the graph, all shapes, the output's shape against the manifest, and that
// the weights fill the .bin exactly. Throws Error (bundle).
//
// Not checked: the values of weights (any bit pattern is a number), and that the network is the one that was trained;
// the sha256 in the manifest says that the files are as they were exported, not who exported them.
NcnnModel validate_ncnn(const Bytes& param, const Bytes& weights, const Manifest& manifest, const EngineEntry& entry,
                        const std::string& param_place, const std::string& weights_place);

}  // namespace nanoedge
