#include <catch.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "postprocess/decode.hpp"

using namespace nanoedge;

namespace {

constexpr int kClasses = 2, kBins = 8, kChannels = kClasses + 4 * kBins;

InputSpec input() {
  InputSpec spec;
  spec.width = 64, spec.height = 32;
  return spec;
}

DecoderSpec decoder() {
  DecoderSpec spec;
  spec.strides = {8, 32};
  spec.reg_max = kBins - 1;
  return spec;
}

// Output in which nothing is found.
std::vector<float> nothing(std::size_t priors) {
  std::vector<float> output(priors * kChannels, 0.F);
  for (std::size_t prior = 0; prior < priors; ++prior) {
    for (int kind = 0; kind < kClasses; ++kind) output[prior * kChannels + kind] = -10;
  }
  return output;
}

// Puts all of a side's weight into one bin.
void set_side(std::vector<float>& output, std::size_t prior, int side, int bin) {
  output[prior * kChannels + kClasses + side * kBins + bin] = 100;
}

std::vector<Detection> decoded(const std::vector<float>& output, const Placement& placement, float threshold,
                               const std::vector<std::uint8_t>& wanted = {}) {
  Candidates candidates;
  const NanodetPlusDecoder decode(input(), decoder(), kClasses);
  decode.decode({output.data(), kChannels}, placement, threshold, wanted, candidates);
  std::vector<Detection> found;
  candidates.suppress(1.F, true, 1000, found);
  return found;
}

const Placement kSame = {1, 1, 0, 0, 64, 32};

}  // namespace

TEST_CASE("priors: stride by stride, row by row, sizes rounded up") {
  CHECK(NanodetPlusDecoder(input(), decoder(), kClasses).prior_count() == 8 * 4 + 2 * 1);
  CHECK(decoder().prior_count(65, 33) == 9 * 5 + 3 * 2);
}

TEST_CASE("sides are bins times stride, left top right bottom of the prior") {
  auto output = nothing(34);
  const std::size_t prior = 8 + 3;  // row 1, column 3 of stride 8: (24, 8)
  output[prior * kChannels + 1] = 2;
  set_side(output, prior, 0, 2), set_side(output, prior, 1, 1), set_side(output, prior, 2, 3),
      set_side(output, prior, 3, 2);
  const auto found = decoded(output, kSame, 0.5F);
  REQUIRE(found.size() == 1);
  CHECK(found[0].x1 == Approx(8));
  CHECK(found[0].y1 == Approx(0));
  CHECK(found[0].x2 == Approx(48));
  CHECK(found[0].y2 == Approx(24));
  CHECK(found[0].class_id == 1);
  CHECK(found[0].score == Approx(1 / (1 + std::exp(-2.0))));
}

TEST_CASE("a flat distribution is the mean of its bins") {
  auto output = nothing(34);
  output[33 * kChannels] = 5;  // stride 32, prior (32, 0)
  const auto found = decoded(output, kSame, 0.5F);
  REQUIRE(found.size() == 1);
  CHECK(found[0].x1 == 0);  // 32 - 3.5 * 32, clipped
  CHECK(found[0].x2 == 64);
}

TEST_CASE("boxes are mapped back to the image and clipped to it") {
  auto output = nothing(34);
  const std::size_t prior = 8 + 3;
  output[prior * kChannels] = 3;
  for (int side = 0; side < 4; ++side) set_side(output, prior, side, 1);
  const auto found = decoded(output, {0.5F, 0.25F, 4, 2, 100, 60}, 0.5F);  // input box 16,0 .. 32,16
  REQUIRE(found.size() == 1);
  CHECK(found[0].x1 == Approx(24));
  CHECK(found[0].y1 == Approx(0));
  CHECK(found[0].x2 == Approx(56));
  CHECK(found[0].y2 == Approx(56));
}

TEST_CASE("a score at the threshold is not above it; 0 and 1 are thresholds too") {
  auto output = nothing(34);
  output[0] = 0;  // probability 0.5
  for (int side = 0; side < 4; ++side) set_side(output, 0, side, 1);
  CHECK(decoded(output, kSame, 0.5F).empty());
  CHECK(decoded(output, kSame, 0.49F).size() == 1);
  CHECK(decoded(output, kSame, 1.F).empty());
  CHECK(decoded(output, kSame, 0.F).size() > 34);
}

TEST_CASE("classes that are not wanted are left out") {
  auto output = nothing(34);
  output[0] = output[1] = 3;
  for (int side = 0; side < 4; ++side) set_side(output, 0, side, 1);
  CHECK(decoded(output, kSame, 0.5F).size() == 2);
  const auto found = decoded(output, kSame, 0.5F, {0, 1});
  REQUIRE(found.size() == 1);
  CHECK(found[0].class_id == 1);
}

TEST_CASE("numbers that are none give no boxes") {
  auto output = nothing(34);
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  output[0] = nan;
  output[kChannels] = 3;
  output[kChannels + kClasses] = nan;
  output[2 * kChannels] = 3;
  output[2 * kChannels + kClasses] = infinity;
  for (const Detection& box : decoded(output, kSame, 0.5F)) {
    CHECK(std::isfinite(box.x1 + box.y1 + box.x2 + box.y2 + box.score));
    CHECK(box.x1 < box.x2);
  }
}
