#pragma once

#include <layer.h>

namespace nanoedge {

// ShuffleNetV2's beginning in one pass: a 3x3 convolution of the 3-channel input with stride 2, no or a (leaky) ReLU,
// and a 3x3 max-pooling with stride 2, all with a border of 1; the full convolution's result is never stored. Takes the
// parameters and weights of ncnn's Convolution; its number of channels is a multiple of 8; float32.
class NcnnStem : public ncnn::Layer {
 public:
  NcnnStem();
  int load_param(const ncnn::ParamDict& values) override;
  int load_model(const ncnn::ModelBin& weights) override;
  int forward(const ncnn::Mat& input, ncnn::Mat& output, const ncnn::Option& option) const override;

  static ncnn::Layer* create(void*);

 private:
  int channels_ = 0;
  bool has_bias_ = false;
  float slope_ = 1;             // of what is below 0
  ncnn::Mat weights_, biases_;  // weights: [input channel, row, column][channel]
};

}  // namespace nanoedge
