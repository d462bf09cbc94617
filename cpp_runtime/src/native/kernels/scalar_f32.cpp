// The readable reference of every kernel, for any CPU: what the others must calculate.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "native/kernels/step.hpp"

namespace nanoedge::native {
namespace {

constexpr int kBlock = 16;  // channels that are summed side by side; compilers make vectors of them

float activated(float x, const Step& step) {
  const auto hard_sigmoid = [](float value) { return std::min(std::max(value / 6 + 0.5F, 0.F), 1.F); };
  switch (step.activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return std::max(x, 0.F);
    case Activation::relu6:
      return std::min(std::max(x, 0.F), 6.F);
    case Activation::leaky_relu:
      return std::max(x, step.slope * x);
    case Activation::hard_swish:
      return x * hard_sigmoid(x);
    case Activation::hard_sigmoid:
      return hard_sigmoid(x);
    case Activation::silu:
      return x / (1 + std::exp(-x));
  }
  return x;
}

int rows(const Step& step) {
  return step.out.height;
}

// Weights as [channel block][tap][input][channel in block], zeros behind the last channel.
std::size_t packed_size(const Step& step, int inputs) {
  const int blocks = (step.out.channels + kBlock - 1) / kBlock;
  return sizeof(float) * static_cast<std::size_t>(step.kernel * step.kernel) * static_cast<std::size_t>(inputs) *
         static_cast<std::size_t>(blocks * kBlock);
}

void pack(const Step& step, const float* weights, float* packed, int inputs) {
  const int taps = step.kernel * step.kernel;
  for (int block = 0; block < step.out.channels; block += kBlock) {
    for (int tap = 0; tap < taps; ++tap) {
      for (int input = 0; input < inputs; ++input) {
        for (int c = block; c < block + kBlock; ++c) {
          *packed++ =
              c < step.out.channels ? weights[(static_cast<std::ptrdiff_t>(c) * inputs + input) * taps + tap] : 0;
        }
      }
    }
  }
}

void finish(const Step& step, int y, int x, int block, const float* sums) {
  float* out = step.out.f32(y, x);
  const int end = std::min(block + kBlock, step.out.channels);
  for (int c = block; c < end; ++c) out[c] = activated(sums[c - block], step);
}

// Ordinary: pixels around the map are in memory.
void convolution(const Step& step, int first, int end, void*) {
  const int taps = step.kernel * step.kernel, inputs = step.in.channels;
  for (int y = first; y < end; ++y) {
    for (int x = 0; x < step.out.width; ++x) {
      const auto* weights = static_cast<const float*>(step.weights);
      for (int block = 0; block < step.out.channels; block += kBlock) {
        float sums[kBlock];
        std::copy_n(step.bias + block, kBlock, sums);
        for (int tap = 0; tap < taps; ++tap) {
          const float* in = step.in.f32(y * step.stride - step.top + tap / step.kernel,
                                        x * step.stride - step.left + tap % step.kernel);
          for (int input = 0; input < inputs; ++input, weights += kBlock) {
            for (int c = 0; c < kBlock; ++c) sums[c] += in[input] * weights[c];
          }
        }
        finish(step, y, x, block, sums);
      }
    }
  }
}

std::size_t convolution_size(const Step& step) {
  return packed_size(step, step.in.channels);
}
void pack_convolution(const Step& step, const void* weights, void* packed) {
  pack(step, static_cast<const float*>(weights), static_cast<float*>(packed), step.in.channels);
}

// Depth-wise: pixels around the map count as zero.
void depthwise(const Step& step, int first, int end, void*) {
  const int taps = step.kernel * step.kernel;
  for (int y = first; y < end; ++y) {
    for (int x = 0; x < step.out.width; ++x) {
      const auto* weights = static_cast<const float*>(step.weights);
      for (int block = 0; block < step.out.channels; block += kBlock) {
        float sums[kBlock];
        std::copy_n(step.bias + block, kBlock, sums);
        for (int tap = 0; tap < taps; ++tap, weights += kBlock) {
          const int row = y * step.stride - step.top + tap / step.kernel;
          const int column = x * step.stride - step.left + tap % step.kernel;
          if (row < 0 || row >= step.in.height || column < 0 || column >= step.in.width) continue;
          const float* in = step.in.f32(row, column) + block;
          const int count = std::min(kBlock, step.in.channels - block);
          for (int c = 0; c < count; ++c) sums[c] += in[c] * weights[c];
        }
        finish(step, y, x, block, sums);
      }
    }
  }
}

std::size_t depthwise_size(const Step& step) {
  return packed_size(step, 1);
}
void pack_depthwise(const Step& step, const void* weights, void* packed) {
  pack(step, static_cast<const float*>(weights), static_cast<float*>(packed), 1);
}

// Calls value(y, x, channel) for every value of some rows.
template <class F>
void for_values(const Step& step, int first, int end, F&& value) {
  for (int y = first; y < end; ++y) {
    for (int x = 0; x < step.out.width; ++x) {
      float* out = step.out.f32(y, x);
      for (int c = 0; c < step.out.channels; ++c) out[c] = value(y, x, c);
    }
  }
}

void max_pool(const Step& step, int first, int end, void*) {
  for_values(step, first, end, [&](int y, int x, int c) {
    const int above = y * step.stride - step.top, left = x * step.stride - step.left;
    float largest = -std::numeric_limits<float>::infinity();
    for (int row = std::max(0, above); row < std::min(step.in.height, above + step.kernel); ++row) {
      for (int column = std::max(0, left); column < std::min(step.in.width, left + step.kernel); ++column) {
        largest = std::max(largest, step.in.f32(row, column)[c]);
      }
    }
    return largest;
  });
}

void add(const Step& step, int first, int end, void*) {
  for_values(step, first, end,
             [&](int y, int x, int c) { return activated(step.in.f32(y, x)[c] + step.in2.f32(y, x)[c], step); });
}

void activate(const Step& step, int first, int end, void*) {
  for_values(step, first, end, [&](int y, int x, int c) { return activated(step.in.f32(y, x)[c], step); });
}

void gate(const Step& step, int first, int end, void*) {
  for_values(step, first, end, [&](int y, int x, int c) { return step.in.f32(y, x)[c] * step.in2.f32(0, 0)[c]; });
}

void upsample_nearest(const Step& step, int first, int end, void*) {
  for_values(step, first, end, [&](int y, int x, int c) { return step.in.f32(y / 2, x / 2)[c]; });
}

// Half-pixel centres: 3/4 of an output is its own pixel, 1/4 the neighbour on its side; edges are repeated.
void upsample_bilinear(const Step& step, int first, int end, void*) {
  const auto neighbour = [](int at, int size) { return std::clamp(at % 2 ? at / 2 + 1 : at / 2 - 1, 0, size - 1); };
  for_values(step, first, end, [&](int y, int x, int c) {
    const int far_y = neighbour(y, step.in.height), far_x = neighbour(x, step.in.width);
    const auto between = [&](int row) {
      return 0.75F * step.in.f32(row, x / 2)[c] + 0.25F * step.in.f32(row, far_x)[c];
    };
    return 0.75F * between(y / 2) + 0.25F * between(far_y);
  });
}

void interleave(const Step& step, int first, int end, void*) {
  for_values(step, first, end, [&](int y, int x, int c) { return (c % 2 ? step.in2 : step.in).f32(y, x)[c / 2]; });
}

int copy_items(const Step& step) {
  return step.out.border_top + step.out.height + step.out.border_bottom;
}

// Also fills the border with zeros: other maps had that memory before.
void copy(const Step& step, int first, int end, void*) {
  const Map& out = step.out;
  for (int item = first; item < end; ++item) {
    const int y = item - out.border_top;
    for (int x = -out.border_left; x < out.width + out.border_right; ++x) {
      const bool inside = y >= 0 && y < out.height && x >= 0 && x < out.width;
      for (int c = 0; c < out.channels; ++c) out.f32(y, x)[c] = inside ? step.in.f32(y, x)[c] : 0;
    }
  }
}

int one(const Step&) {
  return 1;
}

void global_average(const Step& step, int, int, void*) {
  for (int c = 0; c < step.in.channels; ++c) {
    float sum = 0;
    for (int y = 0; y < step.in.height; ++y) {
      for (int x = 0; x < step.in.width; ++x) sum += step.in.f32(y, x)[c];
    }
    step.out.f32(0, 0)[c] = sum / (static_cast<float>(step.in.height) * static_cast<float>(step.in.width));
  }
}

}  // namespace

const Kernels scalar_f32 = {{{},
                             {rows, convolution, convolution_size, pack_convolution},
                             {rows, depthwise, depthwise_size, pack_depthwise},
                             {rows, max_pool},
                             {rows, add},
                             {rows, upsample_bilinear},
                             {rows, upsample_nearest},
                             {rows, interleave},
                             {copy_items, copy},
                             {rows, activate},
                             {one, global_average},
                             {rows, gate}}};

}  // namespace nanoedge::native
