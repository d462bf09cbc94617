// Any XML with a .bin of 4096 bytes.
#include <cstddef>
#include <cstdint>

#include "manifest_text.hpp"
#include "validation/openvino_model.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const nanoedge::Manifest manifest =
      nanoedge::parse_manifest(signed_text(manifest_document()), "manifest.json");
  static const nanoedge::Bytes weights(4096);
  try {
    nanoedge::validate_openvino(nanoedge::Bytes(data, data + size), weights, manifest, "model.xml");
  } catch (const nanoedge::Error&) {
  }
  return 0;
}
