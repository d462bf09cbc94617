// OpenVINO through its C API.
#include "engines/engine.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "engines/openvino/library.hpp"
#include "engines/openvino/signal_stack.hpp"
#include "validation/openvino_model.hpp"

namespace nanoedge {
namespace {

// A handle of the C API that is freed with its owner.
template <typename T>
using Handle = std::unique_ptr<T, void (*)(T*)>;

// Memory at the alignment that lets OpenVINO use it as it is.
class AlignedFloats {
 public:
  AlignedFloats() : data_(nullptr, &std::free) {}
  void resize(std::size_t count) { data_.reset(allocate(count)); }
  float* data() const { return data_.get(); }

 private:
  static float* allocate(std::size_t count) {
    constexpr std::size_t kAlignment = 64;
    const std::size_t bytes = (count * sizeof(float) + kAlignment - 1) / kAlignment * kAlignment;
    auto* memory = static_cast<float*>(std::aligned_alloc(kAlignment, bytes));
    if (memory == nullptr) throw Error(ErrorKind::engine, "There is not enough memory for the network's input.");
    std::fill(memory, memory + count, 0.F);
    return memory;
  }
  std::unique_ptr<float, void (*)(void*)> data_;
};

constexpr std::int64_t kMostOutputs = std::int64_t{1} << 26;

const char* hint_of(ComputePrecision compute) {
  return compute == ComputePrecision::fp16 ? "f16" : compute == ComputePrecision::bf16 ? "bf16" : "f32";
}

class OpenVinoEngine final : public Engine {
 public:
  OpenVinoEngine(const OpenVinoLibrary& api, const Bundle& bundle, const EngineEntry& entry,
                 const EngineOptions& options)
      : api_(api),
        width_(bundle.manifest().input.width),
        height_(bundle.manifest().input.height),
        priors_(bundle.manifest().decoder.prior_count(width_, height_)),
        channels_(bundle.manifest().output_channels()),
        request_(nullptr, api.infer_request_free) {
    if (entry.files.size() != 2) throw Error(ErrorKind::bundle, bundle.folder() + ": OpenVINO needs two files.");
    const std::string place = bundle.path(entry.files[0]);
    const Bytes xml = bundle.read(entry.files[0]);
    const Bytes weights = bundle.read(entry.files[1]);
    validate_openvino(xml, weights, bundle.manifest(), place);
    if (priors_ > kMostOutputs / channels_) {
      throw Error(ErrorKind::bundle, bundle.folder() + ": the network's output is larger than NanoEdge takes.");
    }
    input_.resize(3 * plane());
    output_.resize(static_cast<std::size_t>(priors_ * channels_));

    const KeptSignalStack kept;
    const auto core = make<openvino::Core>(api_.core_free, [&](auto** made) { return api_.core_create(made); }, place);
    check_precision(core.get(), options.compute);
    const auto weights_tensor = owned_tensor(weights);
    const auto model = make<openvino::Model>(
        api_.model_free,
        [&](auto** made) {
          return api_.core_read_model(core.get(), xml.data(), xml.size(), weights_tensor.get(), made);
        },
        place);
    const std::string threads = std::to_string(options.threads);
    const char* kind = options.cores == Cores::big      ? "PCORE_ONLY"
                       : options.cores == Cores::little ? "ECORE_ONLY"
                                                        : "ANY_CORE";
    const auto compiled = make<openvino::CompiledModel>(
        api_.compiled_model_free,
        [&](auto** made) {
          return api_.core_compile_model(core.get(), model.get(), "CPU", 8, made, "INFERENCE_PRECISION_HINT",
                                         hint_of(options.compute), "INFERENCE_NUM_THREADS", threads.c_str(),
                                         "PERFORMANCE_HINT", "LATENCY", "SCHEDULING_CORE_TYPE", kind);
        },
        place);
    request_ = make<openvino::InferRequest>(
        api_.infer_request_free, [&](auto** made) { return api_.create_infer_request(compiled.get(), made); }, place);
    bind(entry.input, {1, 3, height_, width_}, input_, place);
    bind(entry.outputs.front(), {1, priors_, channels_}, output_, place);
  }

  InputView input() override { return InputView::planes(input_.data(), plane()); }

  void run() override {
    const int status = api_.infer(request_.get());
    if (status != openvino::kOk) throw Error(ErrorKind::engine, "OpenVINO failed: " + api_.message(status) + ".");
  }

  OutputView output() const override { return {output_.data(), static_cast<std::size_t>(channels_)}; }

 private:
  std::size_t plane() const { return static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_); }

  template <typename T, typename Maker>
  Handle<T> make(void (*release)(T*), const Maker& maker, const std::string& place) const {
    T* made = nullptr;
    const int status = maker(&made);
    if (status != openvino::kOk) {
      throw Error(ErrorKind::bundle, "OpenVINO cannot load " + place + ": " + api_.message(status));
    }
    return {made, release};
  }

  Handle<openvino::Tensor> tensor(int type, std::vector<std::int64_t> shape, void* data) const {
    openvino::Tensor* made = nullptr;
    const int status =
        api_.tensor_from_pointer(type, {static_cast<std::int64_t>(shape.size()), shape.data()}, data, &made);
    if (status != openvino::kOk) throw Error(ErrorKind::engine, "OpenVINO failed: " + api_.message(status) + ".");
    Handle<openvino::Tensor> handle(made, api_.tensor_free);
    // The numbers of element types changed once; a tensor of another size would be read beyond its end.
    std::size_t bytes = 0, expected = type == openvino::kUint8 ? 1 : sizeof(float);
    for (const std::int64_t side : shape) expected *= static_cast<std::size_t>(side);
    if (api_.tensor_byte_size(made, &bytes) != openvino::kOk || bytes != expected) {
      throw Error(ErrorKind::engine,
                  "This OpenVINO numbers its element types in another way; install another version.");
    }
    return handle;
  }

  // A copy that OpenVINO owns: constants of compiled networks point into it, and may be shared among networks.
  Handle<openvino::Tensor> owned_tensor(const Bytes& bytes) const {
    std::int64_t size = static_cast<std::int64_t>(std::max<std::size_t>(bytes.size(), 1));
    openvino::Tensor* made = nullptr;
    int status = api_.tensor_create(openvino::kUint8, {1, &size}, &made);
    Handle<openvino::Tensor> handle(made, api_.tensor_free);
    void* data = nullptr;
    std::size_t room = 0;
    if (status == openvino::kOk) status = api_.tensor_data(made, &data);
    if (status == openvino::kOk) status = api_.tensor_byte_size(made, &room);
    if (status != openvino::kOk || room != static_cast<std::size_t>(size)) {
      throw Error(ErrorKind::engine, "OpenVINO failed: " + api_.message(status) + ".");
    }
    std::copy(bytes.begin(), bytes.end(), static_cast<char*>(data));
    return handle;
  }

  void check_precision(const openvino::Core* core, ComputePrecision compute) const {
    if (compute == ComputePrecision::fp32) return;
    char* text = nullptr;
    std::string abilities;
    if (api_.core_get_property(core, "CPU", "OPTIMIZATION_CAPABILITIES", &text) == openvino::kOk && text != nullptr) {
      abilities = text;
      api_.free_text(text);
    }
    const char* wanted = compute == ComputePrecision::fp16 ? "FP16" : "BF16";
    if (abilities.find(wanted) == std::string::npos) {
      throw Error(ErrorKind::engine,
                  std::string("OpenVINO cannot compute in ") + name_of(compute) + " on this CPU; use fp32.");
    }
  }

  // Makes the request use our memory for one of its tensors, after its shape was found to be the manifest's.
  void bind(const std::string& name, const std::vector<std::int64_t>& shape, const AlignedFloats& memory,
            const std::string& place) {
    const auto own = make<openvino::Tensor>(
        api_.tensor_free, [&](auto** made) { return api_.get_tensor(request_.get(), name.c_str(), made); }, place);
    openvino::Shape found{};
    const bool same = api_.tensor_shape(own.get(), &found) == openvino::kOk &&
                      std::vector<std::int64_t>(found.dims, found.dims + found.rank) == shape;
    if (found.dims != nullptr) api_.shape_free(&found);
    if (!same) {
      throw Error(ErrorKind::bundle, place + " has an input or output '" + name +
                                         "' of another shape than the manifest says; export the bundle again.");
    }
    const auto ours = tensor(openvino::kFloat32, shape, memory.data());
    const int status = api_.set_tensor(request_.get(), name.c_str(), ours.get());
    if (status != openvino::kOk) throw Error(ErrorKind::engine, "OpenVINO failed: " + api_.message(status) + ".");
  }

  const OpenVinoLibrary& api_;
  std::int64_t width_, height_, priors_, channels_;
  AlignedFloats input_, output_;
  Handle<openvino::InferRequest> request_;  // the last member: it goes before the memory that it uses
};

bool is_available(const EngineOptions& options, std::string* reason) {
  return OpenVinoLibrary::open(options.openvino_library, reason) != nullptr;
}

std::unique_ptr<Engine> load(const Bundle& bundle, const EngineEntry& entry, const EngineOptions& options) {
  std::string reason;
  const OpenVinoLibrary* api = OpenVinoLibrary::open(options.openvino_library, &reason);
  if (api == nullptr) throw Error(ErrorKind::engine, reason);
  return std::make_unique<OpenVinoEngine>(*api, bundle, entry, options);
}

}  // namespace

EngineKind openvino_engine() {
  return {"openvino", is_available, load};
}

}  // namespace nanoedge
