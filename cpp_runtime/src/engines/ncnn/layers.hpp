#pragma once

#include <net.h>

#include "engines/ncnn/depthwise.hpp"
#include "engines/ncnn/shuffle.hpp"
#include "engines/ncnn/stem.hpp"

namespace nanoedge {

// Makes our layers known to ncnn; to be called before it loads a network that with_own_layers gave.
inline void register_own_layers(ncnn::Net& net) {
  net.register_custom_layer("NanoedgeShuffle", NcnnShuffle::create);
#if defined(__x86_64__)
  net.register_custom_layer("NanoedgeDepthwise", NcnnDepthwise::create);
  net.register_custom_layer("NanoedgeStem", NcnnStem::create);
#endif
}

}  // namespace nanoedge
