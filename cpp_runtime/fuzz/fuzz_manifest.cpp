// Any text: parsed as it is, and once more with a digest that fits, so that the schema behind it is reached.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "bundle/manifest.hpp"
#include "manifest_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    nanoedge::parse_manifest(text, "manifest.json");
  } catch (const nanoedge::Error&) {
  }
  const nlohmann::json document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_object()) return 0;
  // The good manifest with these keys in the place of its own.
  nlohmann::json patched = manifest_document();
  patched.update(document);
  try {
    nanoedge::parse_manifest(signed_text(patched), "manifest.json");
  } catch (const nanoedge::Error&) {
  } catch (const nlohmann::json::exception&) {  // a text that is no UTF-8 cannot be signed
  }
  return 0;
}
