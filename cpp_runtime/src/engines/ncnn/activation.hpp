#pragma once

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

}  // namespace nanoedge
