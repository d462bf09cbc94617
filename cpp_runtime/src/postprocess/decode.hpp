// From the network's raw output to candidates in pixels of the image.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bundle/manifest.hpp"
#include "postprocess/suppression.hpp"

namespace nanoedge {

// Raw output: rows of logits and distributions, one a prior, `stride` floats apart.
struct OutputView {
  const float* data = nullptr;
  std::size_t stride = 0;
};

// The decoder "nanodet-plus": class logits, then four distributions over 0..reg_max for left, top, right, bottom.
class NanodetPlusDecoder {
 public:
  NanodetPlusDecoder(const InputSpec& input, const DecoderSpec& decoder, int classes);

  std::size_t prior_count() const { return priors_.size(); }

  // Adds every (prior, class) whose score is above the threshold and whose box has an area inside the image; in order
  // of prior, then class. `wanted` has one entry a class, or is empty: all.
  void decode(const OutputView& output, const Placement& placement, float score_threshold,
              const std::vector<std::uint8_t>& wanted, Candidates& candidates) const;

 private:
  struct Prior {
    float x, y, stride;
  };
  Detection box_of(const float* distributions, const Prior& prior, const Placement& placement) const;

  std::vector<Prior> priors_;
  int classes_, bins_;
};

}  // namespace nanoedge
