// float32 kernels: what stands behind their sums. V is a vector of `width` values, which are floats (or halves): see
// the files of each instruction set. M says how values lie in maps: as float32, or rounded to bfloat16 or to half
// precision.
#pragma once

#include <math.h>

#include "native/kernels/shapes.hpp"

namespace nanoedge::native {
namespace {

// Maps of float32.
template <class V>
struct FloatMaps {
  using In = float;
  using Out = float;
  using Vector = typename V::Vector;
  static Vector load(const float* from) { return V::load(from); }
  static Vector set(float value) { return V::set(value); }
  static void store(float* to, Vector x) { V::store(to, x); }
  static void store_some(float* to, Vector x, typename V::Mask mask) { V::store_some(to, x, mask); }
  static void store_interleaved(float* to, const float* a, const float* b) {
    V::store_interleaved(to, V::load(a), V::load(b));
  }
};

template <class V, class M>
struct F32Vectors {
  using Vector = typename V::Vector;
  using In = typename M::In;
  using Out = typename M::Out;
  using Value = typename V::Value;  // of weights and of memory in between
  static constexpr int kWidth = V::width;

  static const In* in_at(const Map& map, int y, int x) {
    return static_cast<const In*>(map.data) + y * map.row + x * map.pixel;
  }
  static char* out_at(const Step& step, int y, int x) {
    if constexpr (sizeof(Out) == sizeof(float)) return reinterpret_cast<char*>(step.out.f32(y, x));
    return static_cast<char*>(pixel_of(step.out, y, x));
  }

  // The network's output is float32 always.
  static bool writes_floats(const Step& step) {
    return sizeof(Out) == sizeof(float) || step.out.element == Element::f32;
  }

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
  static void store(char* pixel, int channel, Vector x, const Step& step) {
    if (writes_floats(step)) {
      store_as<FloatMaps<V>>(reinterpret_cast<float*>(pixel), channel, x, step);
    } else {
      store_as<M>(reinterpret_cast<Out*>(pixel), channel, x, step);
    }
  }
  template <class Maps>
  static void store_as(typename Maps::Out* pixel, int channel, Vector x, const Step& step) {
    const int left = step.room - channel;
    if (left >= kWidth) {
      Maps::store(pixel + channel, x);
    } else if (step.out.channels > channel) {
      Maps::store_some(pixel + channel, x, V::first(smaller(left, step.out.channels - channel)));
    }
  }

  // Activations that are compiled into what stands behind the sums: x, or the larger of x and a part of it.
  template <class F>
  static void with_activation(const Step& step, F&& work) {
    if (V::joins_activations || step.activation == Activation::relu || step.activation == Activation::leaky_relu) {
      return work(ActivationTag<Activation::leaky_relu>{});
    }
    return work(ActivationTag<Activation::none>{});
  }
  static bool is_compiled(const Step& step) {
    return step.activation == Activation::none || step.activation == Activation::relu ||
           step.activation == Activation::leaky_relu;
  }

  // Also for none.
  static Vector slope_of(const Step& step) {
    return V::set(step.activation == Activation::none ? 1.F : step.activation == Activation::relu ? 0.F : step.slope);
  }

  template <Activation activation>
  __attribute__((always_inline)) static Vector activated_as(Vector x, Vector slope) {
    if constexpr (activation == Activation::none) return x;
    return V::max(x, V::multiply(x, slope));
  }

  // The sums of `rows` pixels become values and are written from `channel` on.
  template <Activation activation, int rows, int vectors>
  __attribute__((always_inline)) static void finish(const Step& step, const Vector (&sums)[rows][vectors], char* out,
                                                    int channel) {
    // As many whole vectors as there is room for, and of the next one what is left.
    const int whole = (step.room - channel) / kWidth, last = step.out.channels - channel - whole * kWidth;
    const bool is_common = sizeof(Out) == sizeof(float) || !writes_floats(step);
    if (whole >= vectors - 1 && is_common && is_compiled(step)) {
      const std::ptrdiff_t pixel = step.out.pixel;
      const Vector slope = slope_of(step);
      const typename V::Mask mask = V::first(larger(last, 0));
      auto* to = reinterpret_cast<Out*>(out) + channel;
#pragma GCC unroll 32
      for (int r = 0; r < rows; ++r, to += pixel) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors - 1; ++v) M::store(to + v * kWidth, activated_as<activation>(sums[r][v], slope));
        const Vector x = activated_as<activation>(sums[r][vectors - 1], slope);
        if (whole >= vectors) {
          M::store(to + (vectors - 1) * kWidth, x);
        } else {
          M::store_some(to + (vectors - 1) * kWidth, x, mask);
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
  NANOEDGE_COMPILED_ONCE static void finish_any(const Step& step, const float* sums, int rows, int vectors, char* out,
                                                int channel) {
    for (int r = 0; r < rows; ++r, out += pixel_bytes(step.out)) {
      for (int v = 0; v < vectors; ++v, sums += kWidth) {
        store(out, channel + v * kWidth, activated(V::load(sums), step), step);
      }
    }
  }
};

}  // namespace
}  // namespace nanoedge::native
