#include "engines/ncnn/shuffle.hpp"

#include <cstring>

#include "threads/team.hpp"

namespace nanoedge {
namespace {

constexpr int kNoMemory = -100;  // ncnn's status

// One group of `pack` output channels: the lanes `lane` .. `lane + pack / 2` of two input groups, in turn.
template <int pack>
void interleave(const float* __restrict first, const float* __restrict second, int lane, int pixels,
                float* __restrict out) {
  constexpr int half = pack / 2;
  for (int pixel = 0; pixel < pixels; ++pixel) {
    for (int i = 0; i < half; ++i) {
      out[pixel * pack + 2 * i] = first[pixel * pack + lane + i];
      out[pixel * pack + 2 * i + 1] = second[pixel * pack + lane + i];
    }
  }
}

}  // namespace

NcnnShuffle::NcnnShuffle() {
  one_blob_only = false;
  support_inplace = false;
  support_packing = true;
}

ncnn::Layer* NcnnShuffle::create(void*) {
  return new NcnnShuffle;
}

int NcnnShuffle::forward(const std::vector<ncnn::Mat>& inputs, std::vector<ncnn::Mat>& outputs,
                         const ncnn::Option& option) const {
  const ncnn::Mat &first = inputs[0], &second = inputs[1];
  const int pack = first.elempack, pixels = first.w * first.h;
  if (second.elempack != pack || second.c != first.c || second.w * second.h != pixels) return -1;
  const int groups = first.c * 2 / static_cast<int>(outputs.size());  // of each output
  for (ncnn::Mat& output : outputs) {
    output.create(first.w, first.h, groups, first.elemsize, pack, option.blob_allocator);
    if (output.empty()) return kNoMemory;
  }
  const int total = groups * static_cast<int>(outputs.size());
  threads::for_each(total, option.num_threads, [&](int group) {
    float* out = outputs[static_cast<std::size_t>(group / groups)].channel(group % groups);
    if (pack == 1) {
      const ncnn::Mat& source = group % 2 == 0 ? first : second;
      std::memcpy(out, static_cast<const float*>(source.channel(group / 2)), sizeof(float) * pixels);
      return;
    }
    // Output channel k comes from input channel k / 2: half a group of each input.
    const float* from_first = first.channel(group / 2);
    const float* from_second = second.channel(group / 2);
    const int lane = group % 2 * (pack / 2);
    if (pack == 4) interleave<4>(from_first, from_second, lane, pixels, out);
    if (pack == 8) interleave<8>(from_first, from_second, lane, pixels, out);
    if (pack == 16) interleave<16>(from_first, from_second, lane, pixels, out);
  });
  return 0;
}

}  // namespace nanoedge
