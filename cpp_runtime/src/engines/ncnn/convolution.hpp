#pragma once

#include <modelbin.h>
#include <paramdict.h>

namespace nanoedge {

// What a convolution's parameters 9 (activation: none, ReLU or leaky ReLU) and 10 (its numbers) multiply by below 0.
inline float slope_of(const ncnn::ParamDict& values) {
  constexpr int kWholeNumbers = 5;  // ncnn's type of a list without a decimal point
  const int activation = values.get(9, 0);
  const ncnn::Mat numbers = values.get(10, ncnn::Mat());
  if (activation == 0) return 1;
  if (activation != 2 || numbers.empty()) return 0;
  return values.type(10) == kWholeNumbers ? static_cast<float>(static_cast<const int*>(numbers)[0]) : numbers[0];
}

// Reads weights that are stored as [channel][tap] into [tap][channel], so that neighbouring channels of a tap lie side
// by side whatever their pack, and the biases behind them. False when there is not enough memory.
inline bool load_by_tap(const ncnn::ModelBin& file, int channels, int taps, bool has_bias, ncnn::Mat& weights,
                        ncnn::Mat& biases) {
  const ncnn::Mat by_channel = file.load(channels * taps, 0);
  weights.create(channels, taps);
  if (by_channel.empty() || weights.empty()) return false;
  const float* from = by_channel;
  for (int tap = 0; tap < taps; ++tap) {
    for (int channel = 0; channel < channels; ++channel) weights.row(tap)[channel] = from[channel * taps + tap];
  }
  if (has_bias) biases = file.load(channels, 1);
  return !has_bias || !biases.empty();
}

}  // namespace nanoedge
