// Looking at a network step by step.
#include <catch.hpp>

#include <cstring>
#include <vector>

#include "manifest_text.hpp"
#include "native/kernels/choose.hpp"
#include "native/layers.hpp"
#include "native/peak.hpp"
#include "native_file.hpp"
#include "refusal.hpp"

using namespace nanoedge;

namespace {

native::Layers small(const native::KernelTable& kernels, int threads) {
  const Manifest manifest = parse_manifest(signed_text(manifest_document()), "m.json");
  const Bytes bytes = native_file::good();
  return native::Layers(native::read_model(bytes, manifest, "x.bin"), bytes, kernels, threads);
}

}  // namespace

TEST_CASE("a step says what it calculates and moves") {
  const native::Layers layers = small(native::kernel_tables().back(), 1);
  REQUIRE(layers.count() == 3);
  const native::Layer pool = layers.layer(0), convolution = layers.layer(1);
  CHECK(pool.multiply_adds == 0);
  CHECK(pool.weights == 0);
  CHECK(pool.read == 64 * 32 * 3 * 4);
  CHECK(pool.written == 8 * 4 * 3 * 4);
  CHECK(convolution.multiply_adds == 8 * 4 * 3 * 34);
  CHECK(convolution.weights == (3 * 34 + 34) * 4);
  CHECK(convolution.read == pool.written);
  CHECK(convolution.written == 8 * 4 * 34 * 4);
}

TEST_CASE("maps are copied as they are calculated, and the steps are those of a whole run") {
  native::Layers layers = small(native::kernel_tables().back(), 2);
  std::vector<std::uint8_t> picture(64 * 32 * 3);
  for (std::size_t i = 0; i < picture.size(); ++i) picture[i] = static_cast<std::uint8_t>(i % 3 + 1);
  std::vector<float> pooled(8 * 4 * 3), mixed(8 * 4 * 34), last(2 * 34), output(34 * 34);
  layers.set_picture(picture.data());
  layers.run_and_copy({pooled.data(), mixed.data(), last.data()});
  for (std::size_t i = 0; i < pooled.size(); ++i) CHECK(pooled[i] == static_cast<float>(i % 3 + 1));
  layers.run();
  layers.copy_output(output.data());
  CHECK(std::memcmp(output.data(), mixed.data(), mixed.size() * sizeof(float)) == 0);
  CHECK(std::memcmp(output.data() + mixed.size(), last.data(), last.size() * sizeof(float)) == 0);
  std::vector<double> seconds(3, -1);
  layers.run_and_time(seconds.data());
  for (const double each : seconds) CHECK(each >= 0);
}

TEST_CASE("every table has a peak") {
  for (const native::KernelTable& kernels : native::kernel_tables()) {
    if (!kernels.is_usable()) continue;
    for (const native::Element element : {native::Element::f32, native::Element::u8}) {
      CHECK(native::measured_peak(kernels, element, 1) > 1e7);
    }
  }
}
