#pragma once

#include <layer.h>

namespace nanoedge {

// ShuffleNet's step between two units in one pass: two blobs of c channels, interleaved channel by channel, given as
// one blob of 2c channels or as two halves of c. Channels stay in the packs that ncnn's convolutions work with.
class NcnnShuffle : public ncnn::Layer {
 public:
  NcnnShuffle();
  int forward(const std::vector<ncnn::Mat>& inputs, std::vector<ncnn::Mat>& outputs,
              const ncnn::Option& option) const override;

  static ncnn::Layer* create(void*);
};

}  // namespace nanoedge
