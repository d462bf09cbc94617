// int8 kernels: blocks of channels, and what stands behind their sums. D is a vector of `width` int32 sums: see the
// files of each instruction set.
//
// Sums are exact. Behind them stands, in float32, a multiply-add with the channel's multiplier and bias, the
// activation, rounding to the nearest even integer, saturation: all instruction sets give the same bytes.
//
// Channels are worked on in blocks of four, two or one vectors. Packing int32 to bytes works on 128-bit lanes, so
// within a block of v vectors four neighbouring channels c to c + 3 stand in lane c / 4 / v of vector c / 4 % v:
// packed, they are in order.
#pragma once

#include <string.h>

#include "native/kernels/shapes.hpp"

namespace nanoedge::native {
namespace {

template <class D>
struct Int8Blocks {
  using Ints = typename D::Ints;
  using Floats = typename D::Floats;
  static constexpr int kWidth = D::width;

  static constexpr int kBlock = 4 * kWidth;  // channels of the largest

  // Vectors of the block that begins at a channel: as many as are left, but for bytes rather less than there is room
  // for.
  static int vectors_at(const Step& step, int channel) {
    const int left = step.out.channels - channel, room = step.room - channel;
    int vectors = left > 3 * kWidth ? 4 : left > kWidth ? 2 : 1;
    while (step.out.element == Element::u8 && vectors > 1 && room < vectors * kWidth) vectors /= 2;
    return vectors;
  }

  // The channel, counted from the block's first, of an element of a vector. Floats are written in order.
  static int channel_in_block(const Step& step, int vectors, int vector, int element) {
    if (step.out.element == Element::f32) return vector * kWidth + element;
    return (element / 4 * vectors + vector) * 4 + element % 4;
  }

  static int channel_at(const Step& step, int place) {
    for (int channel = 0; channel < step.out.channels;) {
      const int vectors = vectors_at(step, channel), size = vectors * kWidth;
      if (place < channel + size) {
        const int within = place - channel;
        return channel + channel_in_block(step, vectors, within / kWidth, within % kWidth);
      }
      channel += size;
    }
    return step.out.channels;
  }

  // All blocks together: the last one may be larger than what is left.
  static int blocks_end(const Step& step) {
    int channel = 0;
    while (channel < step.out.channels) channel += vectors_at(step, channel) * kWidth;
    return channel;
  }

  // --- behind the sums -----------------------------------------------------------------------------------------------

  // Activations that are compiled into what stands behind the sums; ReLU is ReLU6 without an end.
  template <class F>
  static void with_activation(const Step& step, F&& work) {
    if (D::joins_activations) return work(ActivationTag<Activation::leaky_relu>{});
    switch (step.activation) {
      case Activation::leaky_relu:
        return work(ActivationTag<Activation::leaky_relu>{});
      case Activation::relu:
      case Activation::relu6:
        return work(ActivationTag<Activation::relu6>{});
      default:
        return work(ActivationTag<Activation::none>{});
    }
  }
  static bool is_compiled(const Step& step) { return step.activation != Activation::hard_swish; }

  // An activation's numbers, in steps of the output with its zero point.
  struct Constants {
    Floats slope, first, second;

    explicit Constants(const Step& step)
        : slope(D::set(step.slope)),
          first(D::set(step.scalars[0])),
          second(D::set(step.activation == Activation::relu ? __builtin_inff() : step.scalars[1])) {
      if constexpr (D::joins_activations) join(step);
    }

    // For one form of all that are compiled: the larger of y and y * slope + first, but no more than second.
    void join(const Step& step) {
      switch (step.activation) {
        case Activation::relu:
        case Activation::relu6:
          slope = D::set(0.F);
          return;
        case Activation::leaky_relu:
          first = D::set(step.scalars[1]);
          second = D::set(__builtin_inff());
          return;
        case Activation::hard_swish:
          return;
        default:
          slope = D::set(1.F);
          first = D::set(0.F);
          second = D::set(__builtin_inff());
      }
    }
  };

  // Vectors that a multiply-add will overwrite: copied, or loaded anew where D says that it takes less.
  template <class T, class Values, int count>
  __attribute__((always_inline)) static void copies(const T* in, const Values* from, T (&to)[count]) {
    if constexpr (D::loads_copies && count > 1) {
      D::load_anew(from, to);
    } else {
#pragma GCC unroll 4
      for (int v = 0; v < count; ++v) to[v] = in[v];
    }
  }

  __attribute__((always_inline)) static Floats larger_of(Floats y, const Constants& constants) {
    return D::max(y, D::multiply_add(y, constants.slope, constants.first));
  }

  template <Activation activation>
  __attribute__((always_inline)) static Floats activated_as(Floats y, const Constants& constants) {
    if constexpr (D::joins_activations) {
      return D::min(larger_of(y, constants), constants.second);
    } else if constexpr (activation == Activation::leaky_relu) {
      return D::max(y, D::multiply_add(y, constants.slope, constants.second));
    } else if constexpr (activation == Activation::relu6) {
      return D::min(D::max(y, constants.first), constants.second);
    } else {
      return y;
    }
  }

  // Any activation, in steps of the output with its zero point or in real values.
  static Floats activated(Floats y, const Step& step) {
    const Constants constants(step);
    switch (step.activation) {
      case Activation::leaky_relu:
        return activated_as<Activation::leaky_relu>(y, constants);
      case Activation::relu:
      case Activation::relu6:
        return activated_as<Activation::relu6>(y, constants);
      case Activation::hard_swish: {
        const Floats share = D::multiply_add(y, D::set(1.F / 6.F), D::set(0.5F));
        const Floats gate = D::min(D::max(share, D::set(0.F)), D::set(1.F));
        return D::multiply_add(D::multiply(y, gate), constants.second, constants.first);
      }
      default:
        return y;
    }
  }

  // Writes the values of a block of channels, as many as there is room for.
  template <int vectors>
  static void write(const Step& step, const Floats (&values)[vectors], char* pixel, int channel) {
    const int room = step.room - channel, left = smaller(step.out.channels - channel, vectors * kWidth);
    const bool is_whole = room >= vectors * kWidth;
    if (step.out.element == Element::u8) {
      auto* to = reinterpret_cast<std::uint8_t*>(pixel) + channel;
      if (is_whole) return D::template store_bytes<vectors>(to, values);
      std::uint8_t bytes[vectors * kWidth];
      D::template store_bytes<vectors>(bytes, values);
      memcpy(to, bytes, static_cast<std::size_t>(left));
      return;
    }
    float* to = reinterpret_cast<float*>(pixel) + channel;
    float rest[kWidth];
    for (int v = 0; v < vectors; ++v) {
      const int from = v * kWidth;
      if (room >= from + kWidth) {
        D::store(to + from, values[v]);
      } else if (left > from) {
        D::store(rest, values[v]);
        memcpy(to + from, rest, sizeof(float) * static_cast<std::size_t>(smaller(left - from, kWidth)));
      }
    }
  }

  // What is written: bytes or floats, of whole vectors with what is compiled behind them; or anything else.
  enum class Form { bytes, floats, any };

  // What stands behind the sums of a block of channels, loaded once for many pixels.
  template <int vectors, Activation activation>
  struct Epilogue {
    static constexpr bool kHasActivation = D::joins_activations && activation != Activation::none;
    Floats multiplier[vectors], bias[vectors];
    Constants constants;
    Floats firsts[vectors];      // of the constants
    const Floats* first_copies;  // those of the one that was made first, which outlives its copies
    typename D::Limit limit;     // of the constants, rounded
    const float* biases;
    int channel;
    Form form = Form::any;

    Epilogue(const Step& step, int channel)
        : constants(step),
          first_copies(firsts),
          limit(D::limit_of(constants.second)),
          biases(step.bias + channel),
          channel(channel) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        multiplier[v] = D::load(step.multiplier + channel + v * kWidth);
        bias[v] = D::load(step.bias + channel + v * kWidth);
        firsts[v] = constants.first;
      }
      if (step.room - channel < vectors * kWidth) return;
      if (step.out.element == Element::u8) {
        if (is_compiled(step)) form = Form::bytes;
      } else if (step.activation == Activation::none && (D::joins_activations || activation == Activation::none)) {
        form = Form::floats;  // the network's output
      }
    }

    // Two vectors after the other, so that few registers hold copies.
    template <int v>
    __attribute__((always_inline)) void values_from(const Ints (&sums)[vectors], Floats (&values)[vectors]) const {
      constexpr int kCount = D::loads_copies && vectors > 1 ? 2 : 1;
      Floats some[kCount], others[kCount];
      copies(bias + v, biases + v * kWidth, some);
#pragma GCC unroll 2
      for (int i = 0; i < kCount; ++i) some[i] = D::multiply_add(D::floats(sums[v + i]), multiplier[v + i], some[i]);
      if constexpr (kHasActivation) copies(firsts, first_copies, others);
#pragma GCC unroll 2
      for (int i = 0; i < kCount; ++i) {
        if constexpr (kHasActivation) {
          values[v + i] = D::max(some[i], D::multiply_add(some[i], constants.slope, others[i]));
        } else if constexpr (D::joins_activations) {
          values[v + i] = some[i];
        } else {
          values[v + i] = activated_as<activation>(some[i], constants);
        }
      }
      if constexpr (v + kCount < vectors) values_from<v + kCount>(sums, values);
    }

    __attribute__((always_inline)) void operator()(const Ints (&sums)[vectors], std::uint8_t* to) const {
      Floats values[vectors];
      values_from<0>(sums, values);
      if constexpr (kHasActivation) {  // rounded, the smaller of two is the same, and four times fewer
        D::template store_bytes_up_to<vectors>(to, values, limit);
      } else {
        D::template store_bytes<vectors>(to, values);
      }
    }

    __attribute__((always_inline)) void operator()(const Ints (&sums)[vectors], float* to) const {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) {
        D::store(to + v * kWidth, D::multiply_add(D::floats(sums[v]), multiplier[v], bias[v]));
      }
    }
  };

  // The sums of `rows` pixels become values and are written.
  template <int rows, int vectors, Activation activation>
  __attribute__((always_inline)) static void finish(const Step& step, const Epilogue<vectors, activation>& block,
                                                    const Ints (&sums)[rows][vectors], char* out,
                                                    std::ptrdiff_t out_step) {
    if (block.form == Form::bytes) {
      const Epilogue<vectors, activation> epilogue = block;  // of our own: what is written cannot change it
      auto* to = reinterpret_cast<std::uint8_t*>(out) + epilogue.channel;
#pragma GCC unroll 32
      for (int r = 0; r < rows; ++r) epilogue(sums[r], to + r * out_step);
      return;
    }
    if ((D::joins_activations || activation == Activation::none) && block.form == Form::floats) {
      const Epilogue<vectors, activation> epilogue = block;
#pragma GCC unroll 32
      for (int r = 0; r < rows; ++r) epilogue(sums[r], reinterpret_cast<float*>(out + r * out_step) + epilogue.channel);
      return;
    }
    Ints copy[rows][vectors];  // the sums themselves stay in registers
#pragma GCC unroll 32
    for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) copy[r][v] = sums[r][v];
    }
    finish_any<vectors>(step, copy, rows, out, out_step, block.channel);
  }

  // The same for everything else.
  template <int vectors>
  NANOEDGE_COMPILED_ONCE static void finish_any(const Step& step, const Ints (*sums)[vectors], int rows, char* out,
                                                std::ptrdiff_t out_step, int channel) {
    for (int r = 0; r < rows; ++r, out += out_step) {
      Floats values[vectors];
      for (int v = 0; v < vectors; ++v) {
        const int c = channel + v * kWidth;
        values[v] = activated(
            D::multiply_add(D::floats(sums[r][v]), D::load(step.multiplier + c), D::load(step.bias + c)), step);
      }
      write<vectors>(step, values, out, channel);
    }
  }
};

}  // namespace
}  // namespace nanoedge::native
