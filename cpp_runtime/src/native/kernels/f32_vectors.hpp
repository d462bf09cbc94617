// float32 kernels: what stands behind their sums. V is a vector of `width` floats: see the files of each instruction
// set.
#pragma once

#include <math.h>

#include "native/kernels/shapes.hpp"

namespace nanoedge::native {
namespace {

template <class V>
struct F32Vectors {
  using Vector = typename V::Vector;
  static constexpr int kWidth = V::width;

  static Vector activated(Vector x, const Step& step) {
    switch (step.activation) {
      case Activation::none:
        return x;
      case Activation::relu:
        return V::max(x, V::set(0.F));
      case Activation::relu6:
        return V::min(V::max(x, V::set(0.F)), V::set(6.F));
      case Activation::leaky_relu:
        return V::max(x, V::multiply(x, V::set(step.slope)));
      case Activation::hard_swish:
        return V::multiply(x, hard_sigmoid(x));
      case Activation::hard_sigmoid:
        return hard_sigmoid(x);
      case Activation::silu: {
        float values[kWidth];
        V::store(values, x);
        for (float& value : values) value = value / (1.F + expf(-value));
        return V::load(values);
      }
    }
    return x;
  }

  static Vector hard_sigmoid(Vector x) {
    return V::min(V::max(V::multiply_add(x, V::set(1.F / 6.F), V::set(0.5F)), V::set(0.F)), V::set(1.F));
  }

  // Stores the channels from `channel` on, as many as may be written.
  static void store(float* pixel, int channel, Vector x, const Step& step) {
    const int left = step.room - channel;
    if (left >= kWidth) {
      V::store(pixel + channel, x);
    } else if (step.out.channels > channel) {
      V::store_some(pixel + channel, x, V::first(smaller(left, step.out.channels - channel)));
    }
  }

  // Activations that are compiled into what stands behind the sums: x, or the larger of x and a part of it.
  template <class F>
  static void with_activation(const Step& step, F&& work) {
    if (step.activation == Activation::relu || step.activation == Activation::leaky_relu) {
      return work(ActivationTag<Activation::leaky_relu>{});
    }
    return work(ActivationTag<Activation::none>{});
  }
  static bool is_compiled(const Step& step) {
    return step.activation == Activation::none || step.activation == Activation::relu ||
           step.activation == Activation::leaky_relu;
  }

  template <Activation activation>
  __attribute__((always_inline)) static Vector activated_as(Vector x, Vector slope) {
    if constexpr (activation == Activation::none) return x;
    return V::max(x, V::multiply(x, slope));
  }

  // The sums of `rows` pixels become values and are written from `channel` on.
  template <Activation activation, int rows, int vectors>
  __attribute__((always_inline)) static void finish(const Step& step, const Vector (&sums)[rows][vectors], float* out,
                                                    int channel) {
    // As many whole vectors as there is room for, and of the next one what is left.
    const int whole = (step.room - channel) / kWidth, last = step.out.channels - channel - whole * kWidth;
    if (whole >= vectors - 1 && is_compiled(step)) {
      const std::ptrdiff_t pixel = step.out.pixel;
      const Vector slope = V::set(step.activation == Activation::relu ? 0.F : step.slope);
      const typename V::Mask mask = V::first(larger(last, 0));
      float* to = out + channel;
#pragma GCC unroll 32
      for (int r = 0; r < rows; ++r, to += pixel) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors - 1; ++v) V::store(to + v * kWidth, activated_as<activation>(sums[r][v], slope));
        const Vector x = activated_as<activation>(sums[r][vectors - 1], slope);
        if (whole >= vectors) {
          V::store(to + (vectors - 1) * kWidth, x);
        } else {
          V::store_some(to + (vectors - 1) * kWidth, x, mask);
        }
      }
      return;
    }
    float copy[rows * vectors * kWidth];  // the sums themselves stay in registers
#pragma GCC unroll 32
    for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) V::store(copy + (r * vectors + v) * kWidth, sums[r][v]);
    }
    finish_any(step, copy, rows, vectors, out, channel);
  }

  // The same for any activation, wherever there is room.
  __attribute__((noinline)) static void finish_any(const Step& step, const float* sums, int rows, int vectors,
                                                   float* out, int channel) {
    for (int r = 0; r < rows; ++r) {
      for (int v = 0; v < vectors; ++v, sums += kWidth) {
        store(out + r * step.out.pixel, channel + v * kWidth, activated(V::load(sums), step), step);
      }
    }
  }
};

}  // namespace
}  // namespace nanoedge::native
