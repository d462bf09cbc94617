#include "engines/ncnn/depthwise.hpp"

#include <algorithm>

#include "engines/ncnn/convolution.hpp"
#include "engines/ncnn/simd.hpp"
#include "threads/team.hpp"

namespace nanoedge {
namespace {

constexpr int kNoMemory = -100;  // ncnn's status

// One group of channels: `pack` channels side by side at each pixel.
struct DepthwiseJob {
  const float* input;
  float* output;
  int width, height, out_width, out_height, padding;
  const float* weights;  // of the group's first channel
  int weights_step;      // from tap to tap
  const float* biases;   // nullptr for none
  float slope;
  float* workspace;  // planar kernels only: zeroed once; each run leaves its borders as they are
};

template <int lanes>
NANOEDGE_INLINE void activate(typename Vector<lanes>::type* value, float slope) {  // a reference would lose `aligned`
  const typename Vector<lanes>::type scaled = *value * slope;
  *value = *value > 0 ? *value : scaled;
}

// Packed: all channels of a pixel have the same window. With stride 1 and 4 channels a vector spans two neighbouring
// pixels where it can; tiles of vectors share the weights in registers.
template <int pack, int kernel, int stride>
struct PackedDepthwise {
  template <int lanes>
  struct With {
    static constexpr int per = stride == 1 && pack == 4 && lanes > 4 ? 2 : 1;
    static constexpr int tile = lanes < pack ? 1 : lanes == 16 ? 8 : 6;  // as many as registers can hold
    using One = typename Vector<pack>::type;

    // Weights of each tap, repeated for each pixel of a vector, and the rows of the window inside the picture.
    struct Row {
      const float* weights;
      const float* bias;
      const float* input;  // of the window's first row at the picture's left border
      float* output;
      int first, last;
    };

    // `count` neighbouring vectors of `width` floats from output column x on; taps [first, last) of each row lie inside
    // the picture.
    template <int width, int count, int first, int last>
    static NANOEDGE_INLINE void outputs(const DepthwiseJob& job, const Row& row, int x) {
      using V = typename Vector<width>::type;
      V sums[count];
#pragma GCC unroll 8
      for (int t = 0; t < count; ++t) sums[t] = *reinterpret_cast<const V*>(row.bias);
      const float* from = row.input + (x * stride - job.padding) * pack;
      for (int ky = row.first; ky < row.last; ++ky) {
        const float* line = from + static_cast<long>(ky) * job.width * pack;
        const float* weights = row.weights + ky * kernel * pack * per;
#pragma GCC unroll 5
        for (int kx = first; kx < last; ++kx) {
          const V tap = *reinterpret_cast<const V*>(weights + kx * pack * per);
#pragma GCC unroll 8
          for (int t = 0; t < count; ++t) {
            sums[t] += tap * *reinterpret_cast<const V*>(line + t * stride * width + kx * pack);
          }
        }
      }
#pragma GCC unroll 8
      for (int t = 0; t < count; ++t) {
        activate<width>(&sums[t], job.slope);
        *reinterpret_cast<V*>(row.output + x * pack + t * width) = sums[t];
      }
    }

    // One output whose window may reach over the picture's left or right border.
    static NANOEDGE_INLINE void border(const DepthwiseJob& job, const Row& row, int x) {
      const int before = job.padding - x * stride, behind = x * stride - job.padding + kernel - job.width;
      if (before == 1 && behind <= 0) return outputs<pack, 1, 1, kernel>(job, row, x);
      if (before == 2 && behind <= 0) return outputs<pack, 1, 2, kernel>(job, row, x);
      if (before <= 0 && behind == 1) return outputs<pack, 1, 0, kernel - 1>(job, row, x);
      if (before <= 0 && behind == 2) return outputs<pack, 1, 0, kernel - 2>(job, row, x);
      One sum = *reinterpret_cast<const One*>(row.bias);
      for (int ky = row.first; ky < row.last; ++ky) {
        for (int kx = std::max(0, before); kx < kernel - std::max(0, behind); ++kx) {
          const long at = static_cast<long>(ky) * job.width + x * stride - job.padding + kx;
          sum += *reinterpret_cast<const One*>(row.weights + (ky * kernel + kx) * pack * per) *
                 *reinterpret_cast<const One*>(row.input + at * pack);
        }
      }
      activate<pack>(&sum, job.slope);
      *reinterpret_cast<One*>(row.output + x * pack) = sum;
    }

    static NANOEDGE_INLINE void run(const DepthwiseJob& job) {
      float weights[kernel * kernel * pack * per], bias[pack * per] = {};
      for (int tap = 0; tap < kernel * kernel; ++tap) {
        for (int i = 0; i < pack * per; ++i) {
          weights[tap * pack * per + i] = job.weights[tap * job.weights_step + i % pack];
        }
      }
      for (int i = 0; job.biases != nullptr && i < pack * per; ++i) bias[i] = job.biases[i % pack];
      // The columns whose windows lie inside the picture.
      const int left = std::min(job.out_width, (job.padding + stride - 1) / stride), room = job.width + job.padding;
      const int right = room < kernel ? left : std::max(left, std::min(job.out_width, (room - kernel) / stride + 1));
      for (int y = 0; y < job.out_height; ++y) {
        const int top = y * stride - job.padding;
        const Row row{weights,
                      bias,
                      job.input + static_cast<long>(top) * job.width * pack,
                      job.output + static_cast<long>(y) * job.out_width * pack,
                      std::max(0, -top),
                      std::min(kernel, job.height - top)};
        int x = left;
        for (; x + tile * per <= right; x += tile * per) outputs<pack * per, tile, 0, kernel>(job, row, x);
        if constexpr (tile > 1) {
          for (; x + 2 * per <= right; x += 2 * per) outputs<pack * per, 2, 0, kernel>(job, row, x);
        }
        const int done = right - left >= per ? right : left;
        for (; x < done; x += per) {  // the last vector may overlap the one before
          outputs<pack * per, 1, 0, kernel>(job, row, std::min(x, right - per));
        }
        for (x = left > 0 ? 0 : done; x < job.out_width; x = x + 1 == left ? done : x + 1) border(job, row, x);
      }
    }
  };
};

constexpr int kPlanarLanes = 8;
using PlanarVector = Vector<kPlanarLanes>::type;

// Columns of one phase of a bordered row, with room for a last step that is as wide as a vector.
inline int planar_phase(int out_width, int kernel) {
  return std::max(out_width, kPlanarLanes) + kernel;
}

// Copies a row; a call of memcpy would take longer than the short rows of late feature maps.
NANOEDGE_INLINE void copy_row(const float* from, int width, float* to) {
  int x = 0;
  for (; x + kPlanarLanes <= width; x += kPlanarLanes) {
    *reinterpret_cast<PlanarVector*>(to + x) = *reinterpret_cast<const PlanarVector*>(from + x);
  }
  for (; x < width; ++x) to[x] = from[x];
}

// The columns 0, 2, 4, ... and 1, 3, 5, ... of a row.
NANOEDGE_INLINE void part_columns(const float* from, int width, float* even, float* odd) {
  int x = 0;
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
  for (; x + 2 * kPlanarLanes <= width; x += 2 * kPlanarLanes) {
    const PlanarVector a = *reinterpret_cast<const PlanarVector*>(from + x);
    const PlanarVector b = *reinterpret_cast<const PlanarVector*>(from + x + kPlanarLanes);
    *reinterpret_cast<PlanarVector*>(even + x / 2) = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
    *reinterpret_cast<PlanarVector*>(odd + x / 2) = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
  }
#endif
#endif
  for (; x < width; ++x) (x % 2 == 0 ? even : odd)[x / 2] = from[x];
}

// Planar: one channel. The plane is copied once, with a border of zeros and, for stride 2, its even and odd columns
// apart, so that the same tap of neighbouring outputs lies side by side.
template <int kernel, int stride>
struct PlanarDepthwise {
  template <int>
  struct With {
    static constexpr int lanes = kPlanarLanes;
    using V = Vector<lanes>::type;

    static NANOEDGE_INLINE void copy(const DepthwiseJob& job, int phase) {
      for (int y = 0; y < job.height; ++y) {
        const float* from = job.input + static_cast<long>(y) * job.width;
        float* to = job.workspace + static_cast<long>(y + job.padding) * phase * stride;
        if constexpr (stride == 1) {
          copy_row(from, job.width, to + job.padding);
        } else {
          // Column x lies at x + padding of the bordered row: in phase (x + padding) % 2 at (x + padding) / 2.
          const auto place = [&](int column) { return to + column % 2 * phase + column / 2; };
          part_columns(from, job.width, place(job.padding), place(job.padding + 1));
        }
      }
    }

    static NANOEDGE_INLINE void run(const DepthwiseJob& job) {
      const int phase = planar_phase(job.out_width, kernel), row = phase * stride;
      copy(job, phase);
      V weights[kernel * kernel], bias = {};
      if (job.biases != nullptr) bias += *job.biases;
      for (int tap = 0; tap < kernel * kernel; ++tap) weights[tap] = V{} + job.weights[tap * job.weights_step];
      for (int y = 0; y < job.out_height; ++y) {
        const float* top = job.workspace + static_cast<long>(y) * stride * row;
        float* out = job.output + static_cast<long>(y) * job.out_width;
        for (int x = 0;; x += lanes) {
          x = std::max(0, std::min(x, job.out_width - lanes));  // the last step overlaps the one before
          V sum = bias;
#pragma GCC unroll 5
          for (int ky = 0; ky < kernel; ++ky) {
#pragma GCC unroll 5
            for (int kx = 0; kx < kernel; ++kx) {
              sum += weights[ky * kernel + kx] *
                     *reinterpret_cast<const V*>(top + ky * row + kx % stride * phase + kx / stride + x);
            }
          }
          activate<lanes>(&sum, job.slope);
          if (job.out_width < lanes) {
            for (int i = 0; i < job.out_width; ++i) out[i] = sum[i];
          } else {
            *reinterpret_cast<V*>(out + x) = sum;
          }
          if (x + lanes >= job.out_width) break;
        }
      }
    }
  };
};

using Run = void (*)(const DepthwiseJob&);

template <int pack, int kernel, int stride>
Run variant() {
  if constexpr (pack == 1) {
    return best_variant<PlanarDepthwise<kernel, stride>::template With, DepthwiseJob>();
  } else {
#if defined(__x86_64__)
    if constexpr (pack == 16) {  // ncnn packs 16 channels only where there is AVX-512
      return run_with_avx512<PackedDepthwise<pack, kernel, stride>::template With, DepthwiseJob>;
    }
#endif
    return best_variant<PackedDepthwise<pack, kernel, stride>::template With, DepthwiseJob>();
  }
}

template <int pack>
Run variant_of(int kernel, int stride) {
  if (kernel == 3) return stride == 1 ? variant<pack, 3, 1>() : variant<pack, 3, 2>();
  return stride == 1 ? variant<pack, 5, 1>() : variant<pack, 5, 2>();
}

Run variant_of(int pack, int kernel, int stride) {
  if (pack == 16) return variant_of<16>(kernel, stride);
  if (pack == 8) return variant_of<8>(kernel, stride);
  if (pack == 4) return variant_of<4>(kernel, stride);
  return variant_of<1>(kernel, stride);
}

}  // namespace

NcnnDepthwise::NcnnDepthwise() {
  one_blob_only = true;
  support_inplace = false;
  support_packing = true;
}

ncnn::Layer* NcnnDepthwise::create(void*) {
  return new NcnnDepthwise;
}

int NcnnDepthwise::load_param(const ncnn::ParamDict& values) {
  channels_ = values.get(0, 0);
  kernel_ = values.get(1, 0);
  stride_ = values.get(3, 1);
  padding_ = values.get(4, 0);
  has_bias_ = values.get(5, 0) != 0;
  slope_ = slope_of(values);
  return 0;
}

int NcnnDepthwise::load_model(const ncnn::ModelBin& weights) {
  return load_by_tap(weights, channels_, kernel_ * kernel_, has_bias_, weights_, biases_) ? 0 : kNoMemory;
}

int NcnnDepthwise::forward(const ncnn::Mat& input, ncnn::Mat& output, const ncnn::Option& option) const {
  const int pack = input.elempack;
  if (input.c * pack != channels_ || input.elemsize != sizeof(float) * static_cast<std::size_t>(pack)) return -1;
  const int out_width = (input.w + 2 * padding_ - kernel_) / stride_ + 1;
  const int out_height = (input.h + 2 * padding_ - kernel_) / stride_ + 1;
  output.create(out_width, out_height, input.c, input.elemsize, pack, option.blob_allocator);
  if (output.empty()) return kNoMemory;
  ncnn::Mat workspaces;
  if (pack == 1) {
    workspaces.create(stride_ * planar_phase(out_width, kernel_), input.h + 2 * padding_, option.num_threads,
                      sizeof(float), option.workspace_allocator);
    if (workspaces.empty()) return kNoMemory;
    workspaces.fill(0.F);
  }
  const Run run = variant_of(pack, kernel_, stride_);
  threads::for_each(input.c, option.num_threads, [&](int group) {
    float* workspace = pack == 1 ? static_cast<float*>(workspaces.channel(threads::number())) : nullptr;
    run({input.channel(group), output.channel(group), input.w, input.h, out_width, out_height, padding_,
         static_cast<const float*>(weights_) + group * pack, channels_,
         has_bias_ ? static_cast<const float*>(biases_) + group * pack : nullptr, slope_, workspace});
  });
  return 0;
}

}  // namespace nanoedge
