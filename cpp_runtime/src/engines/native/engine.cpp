// NanoEdge's own engine.
#include "engines/engine.hpp"

#include <algorithm>
#include <cmath>

#include "engines/workers_on_cpus.hpp"
#include "native/kernels/choose.hpp"
#include "native/model.hpp"
#include "native/network.hpp"

namespace nanoedge {
namespace {

class NativeEngine final : public Engine {
 public:
  NativeEngine(const Bundle& bundle, const EngineEntry& entry, const EngineOptions& options)
      : options_(options), spec_(bundle.manifest().input) {
    if (entry.files.size() != 1) throw Error(ErrorKind::bundle, bundle.folder() + ": native needs one file.");
    const Bytes bytes = bundle.read(entry.files[0]);
    const native::Model model = native::read_model(bytes, bundle.manifest(), bundle.path(entry.files[0]));
    network_ = std::make_unique<native::Network>(model, bytes, native::choose_kernels(), options.threads);
    plane_ = static_cast<std::size_t>(spec_.width) * static_cast<std::size_t>(spec_.height);
    planes_.resize(3 * plane_);
  }

  PlanarView input() override { return {planes_.data(), plane_}; }

  void run() override {
    const WorkersOnCpus scope(options_);
    const native::Map& picture = network_->input();
    for (int y = 0; y < spec_.height; ++y) {
      const float* from = planes_.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(spec_.width);
      for (std::size_t c = 0; c < 3; ++c) {
        const float* line = from + c * plane_;
        const float std = spec_.std[c], mean = spec_.mean[c];
        for (int x = 0; x < spec_.width; ++x) {
          const float level = line[x] * std + mean;
          if (picture.element == native::Element::f32) {
            picture.f32(y, x)[c] = level;
          } else {
            picture.u8(y, x)[c] = static_cast<std::uint8_t>(std::clamp(std::nearbyint(level), 0.F, 255.F));
          }
        }
      }
    }
    network_->run();
  }

  OutputView output() const override { return {network_->output(), network_->output_row()}; }

 private:
  EngineOptions options_;
  InputSpec spec_;
  std::size_t plane_ = 0;
  std::vector<float> planes_;  // [3, height, width], normalised
  std::unique_ptr<native::Network> network_;
};

bool is_available(const EngineOptions& options, std::string* reason) {
  if (options.compute == ComputePrecision::fp32) return true;
  *reason = std::string("native does not compute in ") + name_of(options.compute) + " on this CPU; use fp32.";
  return false;
}

std::unique_ptr<Engine> load(const Bundle& bundle, const EngineEntry& entry, const EngineOptions& options) {
  return std::make_unique<NativeEngine>(bundle, entry, options);
}

}  // namespace

EngineKind native_engine() {
  return {"native", is_available, load};
}

}  // namespace nanoedge
