#pragma once

#include <layer.h>

namespace nanoedge {

// A depth-wise convolution of 3x3 or 5x5, stride 1 or 2, with the same padding on all sides and no or a (leaky) ReLU
// behind it. Takes the parameters and weights of ncnn's ConvolutionDepthWise; float32.
class NcnnDepthwise : public ncnn::Layer {
 public:
  NcnnDepthwise();
  int load_param(const ncnn::ParamDict& values) override;
  int load_model(const ncnn::ModelBin& weights) override;
  int forward(const ncnn::Mat& input, ncnn::Mat& output, const ncnn::Option& option) const override;

  static ncnn::Layer* create(void*);

 private:
  int channels_ = 0, kernel_ = 0, stride_ = 0, padding_ = 0;
  bool has_bias_ = false;
  float slope_ = 1;             // of what is below 0
  ncnn::Mat weights_, biases_;  // weights: [tap][channel]
};

}  // namespace nanoedge
