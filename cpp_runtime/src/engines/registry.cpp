#include "engines/engine.hpp"

namespace nanoedge {

const char* name_of(ComputePrecision compute) noexcept {
  switch (compute) {
    case ComputePrecision::fp16:
      return "fp16";
    case ComputePrecision::bf16:
      return "bf16";
    default:
      return "fp32";
  }
}

const std::vector<EngineKind>& engine_kinds() {
#if defined(__x86_64__)
  static const std::vector<EngineKind> kinds = {openvino_engine(), ncnn_engine(), native_engine()};
#else
  static const std::vector<EngineKind> kinds = {ncnn_engine(), openvino_engine(), native_engine()};
#endif
  return kinds;
}

}  // namespace nanoedge
