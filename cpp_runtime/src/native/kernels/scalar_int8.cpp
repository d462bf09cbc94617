// The readable reference of the int8 kernels, for any CPU: byte for byte what the others must give.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "native/kernels/step.hpp"

namespace nanoedge::native {
namespace {

constexpr int kBlock = 16;  // channels that are summed side by side; compilers make vectors of them

int rows(const Step& step) {
  return step.out.height;
}

// In steps of the output, its zero point included, or in real values.
float activated(float y, const Step& step) {
  switch (step.activation) {
    case Activation::relu:
      return std::max(y, step.scalars[0]);
    case Activation::relu6:
      return std::min(std::max(y, step.scalars[0]), step.scalars[1]);
    case Activation::leaky_relu:
      return std::max(y, std::fma(y, step.slope, step.scalars[1]));
    case Activation::hard_swish: {
      const float gate = std::min(std::max(std::fma(y, 1.F / 6.F, 0.5F), 0.F), 1.F);
      return std::fma(y * gate, step.scalars[1], step.scalars[0]);
    }
    default:
      return y;
  }
}

// An activated value to its place.
void put(const Step& step, float value, int y, int x, int c) {
  if (step.out.element == Element::f32) {
    step.out.f32(y, x)[c] = value;
    return;
  }
  const float steps = std::nearbyint(value);                                                // to the nearest even
  step.out.u8(y, x)[c] = static_cast<std::uint8_t>(std::min(std::max(0.F, steps), 255.F));  // no number: 0
}

void finish(const Step& step, int y, int x, int block, const std::int32_t* sums) {
  const int end = std::min(block + kBlock, step.out.channels);
  for (int c = block; c < end; ++c) {
    const float value = std::fma(static_cast<float>(sums[c - block]), step.multiplier[c], step.bias[c]);
    put(step, activated(value, step), y, x, c);
  }
}

std::size_t packed_size(const Step& step, int inputs) {
  const int blocks = (step.out.channels + kBlock - 1) / kBlock;
  return static_cast<std::size_t>(step.kernel * step.kernel) * static_cast<std::size_t>(inputs) *
         static_cast<std::size_t>(blocks * kBlock);
}

// Weights as [channel block][tap][input][channel in block], zeros behind the last channel.
void pack(const Step& step, const std::int8_t* weights, std::int8_t* packed, int inputs) {
  const int taps = step.kernel * step.kernel;
  for (int block = 0; block < step.out.channels; block += kBlock) {
    for (int tap = 0; tap < taps; ++tap) {
      for (int input = 0; input < inputs; ++input) {
        for (int c = block; c < block + kBlock; ++c) {
          const std::ptrdiff_t at = (static_cast<std::ptrdiff_t>(c) * inputs + input) * taps + tap;
          *packed++ = c < step.out.channels ? weights[at] : std::int8_t{0};
        }
      }
    }
  }
}

void convolution(const Step& step, int first, int end, void*) {
  const int taps = step.kernel * step.kernel, inputs = step.in.channels;
  for (int y = first; y < end; ++y) {
    for (int x = 0; x < step.out.width; ++x) {
      const auto* weights = static_cast<const std::int8_t*>(step.weights);
      for (int block = 0; block < step.out.channels; block += kBlock) {
        std::int32_t sums[kBlock];
        std::copy_n(step.start + block, kBlock, sums);
        for (int tap = 0; tap < taps; ++tap) {
          const std::uint8_t* in = step.in.u8(y * step.stride - step.top + tap / step.kernel,
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
  pack(step, static_cast<const std::int8_t*>(weights), static_cast<std::int8_t*>(packed), step.in.channels);
}

// Pixels around the map count as the zero point.
void depthwise(const Step& step, int first, int end, void*) {
  const int taps = step.kernel * step.kernel;
  for (int y = first; y < end; ++y) {
    for (int x = 0; x < step.out.width; ++x) {
      const auto* weights = static_cast<const std::int8_t*>(step.weights);
      for (int block = 0; block < step.out.channels; block += kBlock) {
        std::int32_t sums[kBlock];
        std::copy_n(step.start + block, kBlock, sums);
        const int count = std::min(kBlock, step.in.channels - block);
        for (int tap = 0; tap < taps; ++tap, weights += kBlock) {
          const int row = y * step.stride - step.top + tap / step.kernel;
          const int column = x * step.stride - step.left + tap % step.kernel;
          const bool inside = row >= 0 && row < step.in.height && column >= 0 && column < step.in.width;
          for (int c = 0; c < count; ++c) {
            sums[c] += (inside ? step.in.u8(row, column)[block + c] : step.in.zero_point) * weights[c];
          }
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
  pack(step, static_cast<const std::int8_t*>(weights), static_cast<std::int8_t*>(packed), 1);
}

template <class F>
void for_bytes(const Step& step, int first, int end, F&& value) {
  for (int y = first; y < end; ++y) {
    for (int x = 0; x < step.out.width; ++x) {
      std::uint8_t* out = step.out.u8(y, x);
      for (int c = 0; c < step.out.channels; ++c) out[c] = static_cast<std::uint8_t>(value(y, x, c));
    }
  }
}

void max_pool(const Step& step, int first, int end, void*) {
  for_bytes(step, first, end, [&](int y, int x, int c) {
    const int above = y * step.stride - step.top, left = x * step.stride - step.left;
    int largest = 0;
    for (int row = std::max(0, above); row < std::min(step.in.height, above + step.kernel); ++row) {
      for (int column = std::max(0, left); column < std::min(step.in.width, left + step.kernel); ++column) {
        largest = std::max<int>(largest, step.in.u8(row, column)[c]);
      }
    }
    return largest;
  });
}

void add(const Step& step, int first, int end, void*) {
  for (int y = first; y < end; ++y) {
    for (int x = 0; x < step.out.width; ++x) {
      for (int c = 0; c < step.out.channels; ++c) {
        const float other = std::fma(static_cast<float>(step.in2.u8(y, x)[c]), step.scalars[4], step.scalars[5]);
        const float sum = std::fma(static_cast<float>(step.in.u8(y, x)[c]), step.scalars[3], other);
        put(step, activated(sum, step), y, x, c);
      }
    }
  }
}

void gate(const Step& step, int first, int end, void*) {
  const float* gates = step.in2.f32(0, 0);
  for (int y = first; y < end; ++y) {
    for (int x = 0; x < step.out.width; ++x) {
      for (int c = 0; c < step.out.channels; ++c) {
        const auto value = static_cast<float>(step.in.u8(y, x)[c] - step.in.zero_point);
        put(step, std::fma(value, gates[c] * step.scalars[3], step.scalars[0]), y, x, c);
      }
    }
  }
}

void activate(const Step& step, int first, int end, void*) {
  const auto* table = static_cast<const std::uint8_t*>(step.weights);
  for_bytes(step, first, end, [&](int y, int x, int c) { return table[step.in.u8(y, x)[c]]; });
}

void upsample_nearest(const Step& step, int first, int end, void*) {
  for_bytes(step, first, end, [&](int y, int x, int c) { return step.in.u8(y / 2, x / 2)[c]; });
}

void upsample_bilinear(const Step& step, int first, int end, void*) {
  const auto neighbour = [](int at, int size) { return std::clamp(at % 2 ? at / 2 + 1 : at / 2 - 1, 0, size - 1); };
  for_bytes(step, first, end, [&](int y, int x, int c) {
    const int far_y = neighbour(y, step.in.height), far_x = neighbour(x, step.in.width);
    const auto at = [&](int row, int column) { return static_cast<int>(step.in.u8(row, column)[c]); };
    return (9 * at(y / 2, x / 2) + 3 * at(y / 2, far_x) + 3 * at(far_y, x / 2) + at(far_y, far_x) + 8) / 16;
  });
}

void interleave(const Step& step, int first, int end, void*) {
  for_bytes(step, first, end, [&](int y, int x, int c) { return (c % 2 ? step.in2 : step.in).u8(y, x)[c / 2]; });
}

int copy_items(const Step& step) {
  return step.out.border_top + step.out.height + step.out.border_bottom;
}

void copy(const Step& step, int first, int end, void*) {
  const Map& out = step.out;
  for (int item = first; item < end; ++item) {
    const int y = item - out.border_top;
    for (int x = -out.border_left; x < out.width + out.border_right; ++x) {
      const bool inside = y >= 0 && y < out.height && x >= 0 && x < out.width;
      for (int c = 0; c < out.channels; ++c) {
        out.u8(y, x)[c] = inside ? step.in.u8(y, x)[c] : static_cast<std::uint8_t>(out.zero_point);
      }
    }
  }
}

int one(const Step&) {
  return 1;
}

void global_average(const Step& step, int, int, void*) {
  const Map& in = step.in;
  const int count = in.height * in.width;
  for (int c = 0; c < in.channels; ++c) {
    std::int32_t sum = 0;
    for (int y = 0; y < in.height; ++y) {
      for (int x = 0; x < in.width; ++x) sum += in.u8(y, x)[c];
    }
    const float mean = static_cast<float>(sum - count * in.zero_point) / static_cast<float>(count);
    step.out.f32(0, 0)[c] = mean * step.scalars[3];
  }
}

}  // namespace

const Kernels scalar_u8 = {{{},
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
