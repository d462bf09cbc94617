// ncnn, compiled in.
#include "engines/engine.hpp"

#include <cpu.h>
#include <datareader.h>
#include <net.h>

#include <cstring>

#include "engines/ncnn/graph.hpp"
#include "engines/ncnn/layers.hpp"
#include "engines/workers_on_cpus.hpp"
#include "validation/ncnn_model.hpp"

namespace nanoedge {
namespace {

// Hands a .bin to ncnn and no byte beyond it.
class BoundedReader : public ncnn::DataReader {
 public:
  explicit BoundedReader(const Bytes& bytes) : bytes_(bytes) {}

  std::size_t read(void* to, std::size_t size) const override {
    const std::size_t taken = std::min(size, bytes_.size() - at_);
    std::memcpy(to, bytes_.data() + at_, taken);
    at_ += taken;
    return taken;
  }

 private:
  const Bytes& bytes_;
  mutable std::size_t at_ = 0;
};

class NcnnEngine final : public Engine {
 public:
  NcnnEngine(const Bundle& bundle, const EngineEntry& entry, const EngineOptions& options) : options_(options) {
    if (entry.files.size() != 2) throw Error(ErrorKind::bundle, bundle.folder() + ": ncnn needs two files.");
    const std::string param_place = bundle.path(entry.files[0]), weights_place = bundle.path(entry.files[1]);
    const Bytes param = bundle.read(entry.files[0]);
    const Bytes weights = bundle.read(entry.files[1]);
    const NcnnModel model = validate_ncnn(param, weights, bundle.manifest(), entry, param_place, weights_place);
    const std::string text = ncnn_text(with_own_layers(model.graph, model.plan, options.compute));

    const bool half = options.compute == ComputePrecision::fp16;
    if (half && !ncnn::cpu_support_arm_asimdhp()) {
      throw Error(ErrorKind::engine,
                  "ncnn computes in fp16 only on ARM CPUs with half-precision arithmetic; use fp32.");
    }
    net_.opt.num_threads = options.threads;
    net_.opt.use_vulkan_compute = false;
    net_.opt.use_fp16_packed = net_.opt.use_fp16_storage = net_.opt.use_fp16_arithmetic = half;
    net_.opt.use_bf16_storage = options.compute == ComputePrecision::bf16;
    net_.opt.blob_allocator = &blob_pool_;
    net_.opt.workspace_allocator = &workspace_pool_;
    const BoundedReader reader(weights);
    register_own_layers(net_);
    if (net_.load_param_mem(text.c_str()) != 0 || net_.load_model(reader) != 0) {
      throw Error(ErrorKind::bundle,
                  "ncnn cannot load " + param_place + " with " + weights_place + "; export the bundle again.");
    }
    input_blob_ = find(net_.input_indexes(), net_.input_names(), entry.input, param_place);
    output_blob_ = find(net_.output_indexes(), net_.output_names(), entry.outputs.front(), param_place);
    const InputSpec& spec = bundle.manifest().input;
    input_.create(spec.width, spec.height, 3);
    if (input_.empty()) throw Error(ErrorKind::engine, "There is not enough memory for the network's input.");
    priors_ = static_cast<int>(bundle.manifest().decoder.prior_count(spec.width, spec.height));
    channels_ = bundle.manifest().output_channels();
  }

  ~NcnnEngine() override {
    output_.release();  // before the pool that it came from
    net_.clear();
  }

  InputView input() override { return InputView::planes(input_, input_.cstep); }

  void run() override {
    const WorkersOnCpus scope(options_);
    ncnn::Extractor extractor = net_.create_extractor();
    extractor.set_light_mode(true);
    extractor.input(input_blob_, input_);
    const int status = extractor.extract(output_blob_, output_);
    if (status != 0) throw Error(ErrorKind::engine, "ncnn failed with status " + std::to_string(status) + ".");
    if (output_.dims != 2 || output_.h != priors_ || output_.w != channels_ || output_.elemsize != sizeof(float)) {
      throw Error(ErrorKind::engine, "ncnn gave an output of another shape than the manifest says.");
    }
  }

  OutputView output() const override { return {output_, static_cast<std::size_t>(output_.w)}; }

 private:
  static int find(const std::vector<int>& indexes, const std::vector<const char*>& names, const std::string& wanted,
                  const std::string& place) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == wanted) return indexes[i];
    }
    throw Error(ErrorKind::bundle, place + " has no input or output '" + wanted + "'.");
  }

  EngineOptions options_;
  ncnn::UnlockedPoolAllocator blob_pool_;
  ncnn::PoolAllocator workspace_pool_;
  ncnn::Net net_;
  ncnn::Mat input_, output_;
  int input_blob_ = -1, output_blob_ = -1, priors_ = 0, channels_ = 0;
};

// Whether this CPU has the instructions that ncnn was built for; a build for all CPUs asks for nothing.
bool is_available(const EngineOptions&, std::string* reason) {
#if defined(NANOEDGE_NEEDS_AVX512)
  const bool fits = __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni");
  const char* needed = "AVX-512 with VNNI";
#elif defined(NANOEDGE_NEEDS_AVX2)
  const bool fits = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const char* needed = "AVX2 and FMA";
#else
  const bool fits = true;
  const char* needed = "";
#endif
  if (!fits) {
    *reason = std::string("This NanoEdge was built for CPUs with ") + needed +
              ", which this one lacks; build it with NANOEDGE_CPU=all.";
  }
  return fits;
}

std::unique_ptr<Engine> load(const Bundle& bundle, const EngineEntry& entry, const EngineOptions& options) {
  return std::make_unique<NcnnEngine>(bundle, entry, options);
}

}  // namespace

EngineKind ncnn_engine() {
  return {"ncnn", is_available, load};
}

}  // namespace nanoedge
