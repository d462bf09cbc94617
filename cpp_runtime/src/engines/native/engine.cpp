// NanoEdge's own engine.
#include "engines/engine.hpp"

#include "engines/workers_on_cpus.hpp"
#include "native/kernels/choose.hpp"
#include "native/model.hpp"
#include "native/network.hpp"

namespace nanoedge {
namespace {

class NativeEngine final : public Engine {
 public:
  NativeEngine(const Bundle& bundle, const EngineEntry& entry, const EngineOptions& options) : options_(options) {
    if (entry.files.size() != 1) throw Error(ErrorKind::bundle, bundle.folder() + ": native needs one file.");
    const Bytes bytes = bundle.read(entry.files[0]);
    const native::Model model = native::read_model(bytes, bundle.manifest(), bundle.path(entry.files[0]));
    network_ = std::make_unique<native::Network>(model, bytes, native::choose_kernels(),
                                                 native::floats_of(options.compute), options.threads);
  }

  InputView input() override {
    const native::Map& picture = network_->input();
    const bool bytes = picture.element == native::Element::u8;
    return {picture.data, static_cast<std::size_t>(picture.row),
            bytes ? InputView::Form::byte_levels : InputView::Form::float_levels};
  }

  void run() override {
    const WorkersOnCpus scope(options_);
    network_->run();
  }

  OutputView output() const override { return {network_->output(), network_->output_row()}; }

 private:
  EngineOptions options_;
  std::unique_ptr<native::Network> network_;
};

bool is_available(const EngineOptions& options, std::string* reason) {
  if (native::can_compute(options.compute)) return true;
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
