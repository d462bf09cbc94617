// Rewriting a checked network before ncnn loads it.
#pragma once

#include <string>

#include "validation/ncnn_param.hpp"
#include "validation/ncnn_shapes.hpp"

namespace nanoedge {

// Replaces each Concat of two equal blobs that ShuffleChannel mixes by two groups, and the Slice into halves behind it
// where there is one, by a single layer NanoedgeShuffle. The outputs' names stay; the weights are not touched.
NcnnGraph fuse_shuffles(const NcnnGraph& graph, const NcnnPlan& plan);

// The graph in ncnn's text format.
std::string ncnn_text(const NcnnGraph& graph);

}  // namespace nanoedge
