#include <algorithm>

#include "engines/engine.hpp"
#include "native/kernels/choose.hpp"

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
  static const std::vector<EngineKind> kinds = [] {
#if defined(NANOEDGE_WITHOUT_NCNN)
    return std::vector<EngineKind>{native_engine(), openvino_engine(), ncnn_engine()};
#elif defined(__x86_64__)
    std::vector<EngineKind> order = {native_engine(), openvino_engine(), ncnn_engine()};
    // The scalar kernels are right on every CPU, but no match for the others.
    if (!native::has_vector_kernels()) std::rotate(order.begin(), order.begin() + 1, order.end());
    return order;
#else
    // Ours comes first where it was measured to be no slower: on no such CPU yet.
    return std::vector<EngineKind>{ncnn_engine(), openvino_engine(), native_engine()};
#endif
  }();
  return kinds;
}

}  // namespace nanoedge
