// A network of our own engine whose size and checksum are made to fit, so that the rest is looked at. What passes the
// checks is run by every kernel that this CPU has, under the sanitizers.
#include <cstddef>
#include <cstdint>

#include "manifest_text.hpp"
#include "native/kernels/choose.hpp"
#include "native/model.hpp"
#include "native/network.hpp"
#include "native_file.hpp"

namespace {

using namespace nanoedge;

const Manifest& manifest() {
  static const Manifest parsed = parse_manifest(signed_text(manifest_document()), "manifest.json");
  return parsed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, data + size);
  if (bytes.empty()) bytes = native_file::good();  // where a fuzzer without a corpus begins
  bytes = native_file::sealed(bytes);
  try {
    const native::Model model = native::read_model(bytes, manifest(), "model.native.bin");
    if (model.arena > (1U << 24) || model.operations.size() > 1000) return 0;  // only slow
    for (const native::KernelTable& kernels : native::kernel_tables()) {
      if (kernels.is_usable()) native::Network(model, bytes, kernels, false, 1).run();
    }
  } catch (const Error&) {
  }
  return 0;
}
