// Engines that this build was made without: known by name, refused with a sentence.
#include "engines/engine.hpp"

namespace nanoedge {
namespace {

std::string reason_of(const char* name) {
  return std::string("This NanoEdge was built without the engine ") + name +
         "; export the bundle with --target native, or take a build that has it.";
}

template <const char* name>
EngineKind absent() {
  return {name,
          [](const EngineOptions&, std::string* reason) {
            *reason = reason_of(name);
            return false;
          },
          [](const Bundle&, const EngineEntry&, const EngineOptions&) -> std::unique_ptr<Engine> {
            throw Error(ErrorKind::engine, reason_of(name));
          }};
}

#if defined(NANOEDGE_WITHOUT_NCNN)
constexpr char kNcnn[] = "ncnn";
#endif
#if defined(NANOEDGE_WITHOUT_OPENVINO)
constexpr char kOpenVino[] = "openvino";
#endif

}  // namespace

#if defined(NANOEDGE_WITHOUT_NCNN)
EngineKind ncnn_engine() {
  return absent<kNcnn>();
}
#endif
#if defined(NANOEDGE_WITHOUT_OPENVINO)
EngineKind openvino_engine() {
  return absent<kOpenVino>();
}
#endif

}  // namespace nanoedge
