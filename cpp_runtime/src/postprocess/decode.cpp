#include "postprocess/decode.hpp"

#include <algorithm>
#include <cmath>

namespace nanoedge {
namespace {

// The logit whose sigmoid is `probability`; infinite at 0 and 1.
float logit_of(float probability) {
  const double p = probability;
  return static_cast<float>(std::log(p) - std::log1p(-p));
}

float sigmoid(float logit) {
  const float small = std::exp(-std::fabs(logit));
  return logit >= 0 ? 1 / (1 + small) : small / (1 + small);
}

// Whether any of the values exceeds the limit; without an early end, so that it is vectorized.
bool any_above(const float* values, int count, float limit) {
  int above = 0;
  for (int i = 0; i < count; ++i) above |= values[i] > limit;
  return above != 0;
}

// The mean of 0, 1, 2, … weighted by the softmax of the logits.
float expected_bin(const float* logits, int bins) {
  const float largest = *std::max_element(logits, logits + bins);
  float sum = 0, weighted = 0;
  for (int i = 0; i < bins; ++i) {
    const float weight = std::exp(logits[i] - largest);
    sum += weight;
    weighted += weight * static_cast<float>(i);
  }
  return weighted / sum;
}

}  // namespace

NanodetPlusDecoder::NanodetPlusDecoder(const InputSpec& input, const DecoderSpec& decoder, int classes)
    : classes_(classes), bins_(decoder.reg_max + 1) {
  priors_.reserve(static_cast<std::size_t>(decoder.prior_count(input.width, input.height)));
  for (const int stride : decoder.strides) {
    const int columns = (input.width + stride - 1) / stride, rows = (input.height + stride - 1) / stride;
    const auto size = static_cast<float>(stride);
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < columns; ++column) {
        priors_.push_back({(static_cast<float>(column) + decoder.prior_offset) * size,
                           (static_cast<float>(row) + decoder.prior_offset) * size, size});
      }
    }
  }
}

Detection NanodetPlusDecoder::box_of(const float* distributions, const Prior& prior, const Placement& placed) const {
  float sides[4];
  for (int side = 0; side < 4; ++side) sides[side] = expected_bin(distributions + side * bins_, bins_) * prior.stride;
  const auto to_image = [](float value, float shift, float scale, int limit) {
    return std::clamp((value - shift) / scale, 0.F, static_cast<float>(limit));
  };
  Detection box;
  box.x1 = to_image(prior.x - sides[0], placed.shift_x, placed.scale_x, placed.image_width);
  box.y1 = to_image(prior.y - sides[1], placed.shift_y, placed.scale_y, placed.image_height);
  box.x2 = to_image(prior.x + sides[2], placed.shift_x, placed.scale_x, placed.image_width);
  box.y2 = to_image(prior.y + sides[3], placed.shift_y, placed.scale_y, placed.image_height);
  return box;
}

void NanodetPlusDecoder::decode(const OutputView& output, const Placement& placement, float score_threshold,
                                const std::vector<std::uint8_t>& wanted, Candidates& candidates) const {
  const float limit = logit_of(score_threshold);
  for (std::size_t index = 0; index < priors_.size(); ++index) {
    const float* row = output.data + index * output.stride;
    if (!any_above(row, classes_, limit)) continue;
    Detection box = box_of(row + classes_, priors_[index], placement);
    if (!(box.x2 > box.x1 && box.y2 > box.y1)) continue;  // also when a coordinate is not a number
    for (int kind = 0; kind < classes_; ++kind) {
      if (!(row[kind] > limit) || (!wanted.empty() && !wanted[static_cast<std::size_t>(kind)])) continue;
      box.score = sigmoid(row[kind]);
      box.class_id = kind;
      candidates.add(box);
    }
  }
}

}  // namespace nanoedge
