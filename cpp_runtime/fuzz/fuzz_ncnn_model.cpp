// The .param text, a zero byte, then the .bin. What passes the checks is run as an engine runs it, by ncnn and our
// layers, under the sanitizers.
#include <datareader.h>
#include <net.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "engines/ncnn/graph.hpp"
#include "engines/ncnn/layers.hpp"
#include "manifest_text.hpp"
#include "validation/ncnn_model.hpp"

namespace {

using namespace nanoedge;

const Manifest& manifest() {
  static const Manifest parsed = parse_manifest(signed_text(manifest_document()), "manifest.json");
  return parsed;
}

class Reader : public ncnn::DataReader {
 public:
  explicit Reader(const Bytes& bytes) : bytes_(bytes) {}
  std::size_t read(void* to, std::size_t size) const override {
    const std::size_t taken = std::min(size, bytes_.size() - at_);
    std::copy_n(bytes_.data() + at_, taken, static_cast<char*>(to));
    at_ += taken;
    return taken;
  }

 private:
  const Bytes& bytes_;
  mutable std::size_t at_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::uint8_t* zero = std::find(data, data + size, std::uint8_t{0});
  const Bytes param(data, zero);
  const Bytes weights(zero == data + size ? zero : zero + 1, data + size);
  std::string text;
  try {
    const NcnnModel model =
        validate_ncnn(param, weights, manifest(), manifest().engines.front(), "model.param", "model.bin");
    text = ncnn_text(with_own_layers(model.graph, model.plan, ComputePrecision::fp32));
  } catch (const Error&) {
    return 0;
  }
  ncnn::Net net;
  net.opt.num_threads = 1;
  register_own_layers(net);
  const Reader reader(weights);
  if (net.load_param_mem(text.c_str()) != 0 || net.load_model(reader) != 0) return 0;
  ncnn::Mat input(64, 32, 3), output;
  input.fill(0.5F);
  ncnn::Extractor extractor = net.create_extractor();
  extractor.input("in0", input);
  extractor.extract("out0", output);
  return 0;
}
