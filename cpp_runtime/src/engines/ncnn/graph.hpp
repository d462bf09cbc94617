// Rewriting a checked network before ncnn loads it.
#pragma once

#include <string>

#include "nanoedge/detector.hpp"
#include "validation/ncnn_param.hpp"
#include "validation/ncnn_shapes.hpp"

namespace nanoedge {

// Replaces each Concat of two equal blobs that ShuffleChannel mixes by two groups, and the Slice into halves behind it
// where there is one, by a single layer NanoedgeShuffle. The outputs' names stay; the weights are not touched.
NcnnGraph fuse_shuffles(const NcnnGraph& graph, const NcnnPlan& plan);

// Replaces ShuffleNetV2's first convolution and the max-pooling behind it by one layer NanoedgeStem, with the
// convolution's name and weights.
NcnnGraph fuse_stem(const NcnnGraph& graph, const NcnnPlan& plan);

// Turns the depth-wise convolutions that NcnnDepthwise can do into layers NanoedgeDepthwise, with their weights; in
// other precisions than fp32 only those that ncnn calculates wrongly.
NcnnGraph use_own_depthwise(const NcnnGraph& graph, const NcnnPlan& plan, ComputePrecision compute);

// The network as it will run: the rewritings above, ours of float32 kernels only where they were measured to be faster
// than ncnn's, on x86.
NcnnGraph with_own_layers(const NcnnGraph& graph, const NcnnPlan& plan, ComputePrecision compute);

// The graph in ncnn's text format.
std::string ncnn_text(const NcnnGraph& graph);

}  // namespace nanoedge
