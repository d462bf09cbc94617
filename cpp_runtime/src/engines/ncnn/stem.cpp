#include "engines/ncnn/stem.hpp"

#include <algorithm>
#include <limits>

#include "engines/ncnn/convolution.hpp"
#include "engines/ncnn/simd.hpp"
#include "threads/team.hpp"

namespace nanoedge {
namespace {

constexpr int kNoMemory = -100;  // ncnn's status
constexpr int kLanes = 8, kPlanes = 3, kTaps = 9;
constexpr float kLowest = -std::numeric_limits<float>::infinity();

using V = Vector<kLanes>::type;

int half(int size) {
  return (size - 1) / 2 + 1;  // outputs of a window of 3 with stride 2 and a border of 1
}

// Some rows of the pooled output.
struct StemJob {
  const float* input;  // 3 planes
  long plane;          // from plane to plane
  int width, height;
  float* output;   // [block of 8 channels][row][column][8]
  long out_block;  // from block to block
  int first_row, last_row;
  int channels;
  const float *weights, *biases;  // biases: nullptr for none
  float slope;
  float* workspace;
};

std::size_t input_row(int width) {
  return static_cast<std::size_t>(width) + 2 + kLanes;
}

// Floats of the workspace: 9 bordered input rows, one row of the convolution, three pooled along the row.
std::size_t workspace_size(int width, int channels) {
  const auto conv = static_cast<std::size_t>(half(width));
  const auto pooled = static_cast<std::size_t>(half(half(width)));
  return kTaps * input_row(width) + (conv + 2 + 3 * pooled) * static_cast<std::size_t>(channels);
}

template <int lanes>
struct Stem {
  // `tile` neighbouring outputs of `blocks` blocks of 8 channels.
  template <int tile, int blocks>
  static NANOEDGE_INLINE void outputs(const StemJob& job, const float* rows, long row, int x, int channel, float* to) {
    V sums[blocks][tile];
#pragma GCC unroll 3
    for (int b = 0; b < blocks; ++b) {
      V bias = {};
      if (job.biases != nullptr) bias = *reinterpret_cast<const V*>(job.biases + channel + b * kLanes);
#pragma GCC unroll 8
      for (int t = 0; t < tile; ++t) sums[b][t] = bias;
    }
    const float* weights = job.weights + channel;
    for (int line = 0; line < kTaps; ++line) {  // plane by plane, row by row
      const float* from = rows + line * row + 2 * x;
#pragma GCC unroll 3
      for (int kx = 0; kx < 3; ++kx) {
        V taps[blocks];
#pragma GCC unroll 3
        for (int b = 0; b < blocks; ++b) taps[b] = *reinterpret_cast<const V*>(weights + b * kLanes);
        weights += job.channels;
#pragma GCC unroll 8
        for (int t = 0; t < tile; ++t) {
          const float value = from[2 * t + kx];
#pragma GCC unroll 3
          for (int b = 0; b < blocks; ++b) sums[b][t] += taps[b] * value;
        }
      }
    }
#pragma GCC unroll 8
    for (int t = 0; t < tile; ++t) {
#pragma GCC unroll 3
      for (int b = 0; b < blocks; ++b) {
        *reinterpret_cast<V*>(to + (x + t) * job.channels + channel + b * kLanes) = sums[b][t];
      }
    }
  }

  template <int blocks>
  static NANOEDGE_INLINE void channels(const StemJob& job, const float* rows, long row, int count, int channel,
                                       float* to) {
    constexpr int kTile = lanes == 16 ? 8 : 4;  // as many as registers can hold
    int x = 0;
    for (; x + kTile <= count; x += kTile) outputs<kTile, blocks>(job, rows, row, x, channel, to);
    for (; x < count; ++x) outputs<1, blocks>(job, rows, row, x, channel, to);
  }

  static NANOEDGE_INLINE void run(const StemJob& job) {
    const int width = half(job.width), height = half(job.height), pooled_width = half(width);
    const long row = static_cast<long>(input_row(job.width));
    float* rows = job.workspace;                                       // bordered input
    float* line = rows + kTaps * row;                                  // the convolution's row, with a border
    float* ring = line + static_cast<long>(width + 2) * job.channels;  // rows pooled along x, the last three
    const long ring_row = static_cast<long>(pooled_width) * job.channels;
    std::fill(rows, rows + kTaps * row, 0.F);
    std::fill(line, line + static_cast<long>(width + 2) * job.channels, kLowest);
    const auto pooled_line = [&](int y) { return ring + static_cast<long>(y % 3) * ring_row; };
    int next = std::max(0, 2 * job.first_row - 1);
    for (int out_row = job.first_row; out_row < job.last_row; ++out_row) {
      const int last = std::min(height, 2 * out_row + 2);
      for (; next < last; ++next) {
        for (int i = 0; i < kTaps; ++i) {
          const int y = 2 * next - 1 + i % 3;
          float* to = rows + i * row + 1;
          const float* from = job.input + i / 3 * job.plane + static_cast<long>(y) * job.width;
          if (y < 0 || y >= job.height) {
            std::fill(to, to + job.width, 0.F);
          } else {
            std::memcpy(to, from, sizeof(float) * static_cast<std::size_t>(job.width));
          }
        }
        float* to = line + job.channels;
        int channel = 0;
        for (; channel + 3 * kLanes <= job.channels; channel += 3 * kLanes) {
          channels<3>(job, rows, row, width, channel, to);
        }
        for (; channel < job.channels; channel += kLanes) channels<1>(job, rows, row, width, channel, to);
        float* pooled = pooled_line(next);
        for (int x = 0; x < pooled_width; ++x) {
          const float* from = line + static_cast<long>(2 * x) * job.channels;
          for (int c = 0; c < job.channels; c += kLanes) {
            const V one = *reinterpret_cast<const V*>(from + c);
            const V two = *reinterpret_cast<const V*>(from + job.channels + c);
            const V three = *reinterpret_cast<const V*>(from + 2 * job.channels + c);
            const V more = one > two ? one : two;
            *reinterpret_cast<V*>(pooled + static_cast<long>(x) * job.channels + c) = more > three ? more : three;
          }
        }
      }
      // Rows beyond the picture do not count: the nearest one stands for them.
      const float* one = pooled_line(std::max(0, 2 * out_row - 1));
      const float* two = pooled_line(2 * out_row);
      const float* three = pooled_line(std::min(height - 1, 2 * out_row + 1));
      for (int c = 0; c < job.channels; c += kLanes) {
        float* out = job.output + c / kLanes * job.out_block + static_cast<long>(out_row) * pooled_width * kLanes;
        for (int x = 0; x < pooled_width; ++x) {
          const long at = static_cast<long>(x) * job.channels + c;
          const V a = *reinterpret_cast<const V*>(one + at), b = *reinterpret_cast<const V*>(two + at);
          const V d = *reinterpret_cast<const V*>(three + at);
          V most = a > b ? a : b;
          most = most > d ? most : d;
          const V scaled = most * job.slope;  // rising, so it may follow the pooling
          *reinterpret_cast<V*>(out + x * kLanes) = most > 0 ? most : scaled;
        }
      }
    }
  }
};

}  // namespace

NcnnStem::NcnnStem() {
  one_blob_only = true;
  support_inplace = false;
  support_packing = false;  // the input has 3 channels
}

ncnn::Layer* NcnnStem::create(void*) {
  return new NcnnStem;
}

int NcnnStem::load_param(const ncnn::ParamDict& values) {
  channels_ = values.get(0, 0);
  has_bias_ = values.get(5, 0) != 0;
  slope_ = slope_of(values);
  return 0;
}

int NcnnStem::load_model(const ncnn::ModelBin& weights) {
  return load_by_tap(weights, channels_, kPlanes * kTaps, has_bias_, weights_, biases_) ? 0 : kNoMemory;
}

int NcnnStem::forward(const ncnn::Mat& input, ncnn::Mat& output, const ncnn::Option& option) const {
  if (input.c != kPlanes || input.elempack != 1 || input.elemsize != sizeof(float)) return -1;
  const int width = half(half(input.w)), height = half(half(input.h)), parts = option.num_threads;
  output.create(width, height, channels_ / kLanes, sizeof(float) * kLanes, kLanes, option.blob_allocator);
  ncnn::Mat workspaces;
  workspaces.create(static_cast<int>(workspace_size(input.w, channels_)), parts, sizeof(float),
                    option.workspace_allocator);
  if (output.empty() || workspaces.empty()) return kNoMemory;
  const auto run = best_variant<Stem, StemJob>();
  threads::for_each(parts, parts, [&](int part) {
    run({input, static_cast<long>(input.cstep), input.w, input.h, output, static_cast<long>(output.cstep) * kLanes,
         height * part / parts, height * (part + 1) / parts, channels_, weights_,
         has_bias_ ? static_cast<const float*>(biases_) : nullptr, slope_, workspaces.row(part)});
  });
  if (option.use_packing_layout) return 0;
  const ncnn::Mat packed = output;
  ncnn::convert_packing(packed, output, 1, option);
  return output.empty() ? kNoMemory : 0;
}

}  // namespace nanoedge
