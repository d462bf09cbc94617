#include "engines/openvino/library.hpp"

#include <dlfcn.h>

#include <cstdlib>
#include <map>
#include <mutex>

#if defined(__ELF__)
extern "C" __attribute__((weak, visibility("hidden"))) const char _DYNAMIC[];
#endif

namespace nanoedge {
namespace {

constexpr int kOldestYear = 2025;

template <typename Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

bool fill(void* library, OpenVinoLibrary& api) {
  return find(library, "ov_get_openvino_version", api.get_version) &&
         find(library, "ov_version_free", api.version_free) && find(library, "ov_core_create", api.core_create) &&
         find(library, "ov_core_free", api.core_free) && find(library, "ov_core_get_property", api.core_get_property) &&
         find(library, "ov_core_read_model_from_memory_buffer", api.core_read_model) &&
         find(library, "ov_core_compile_model", api.core_compile_model) &&
         find(library, "ov_model_free", api.model_free) &&
         find(library, "ov_compiled_model_create_infer_request", api.create_infer_request) &&
         find(library, "ov_compiled_model_free", api.compiled_model_free) &&
         find(library, "ov_infer_request_get_tensor", api.get_tensor) &&
         find(library, "ov_infer_request_set_tensor", api.set_tensor) &&
         find(library, "ov_infer_request_infer", api.infer) &&
         find(library, "ov_infer_request_free", api.infer_request_free) &&
         find(library, "ov_tensor_create", api.tensor_create) && find(library, "ov_tensor_data", api.tensor_data) &&
         find(library, "ov_tensor_create_from_host_ptr", api.tensor_from_pointer) &&
         find(library, "ov_tensor_get_shape", api.tensor_shape) &&
         find(library, "ov_tensor_get_byte_size", api.tensor_byte_size) &&
         find(library, "ov_tensor_free", api.tensor_free) && find(library, "ov_shape_free", api.shape_free) &&
         find(library, "ov_free", api.free_text) && find(library, "ov_get_last_err_msg", api.last_error);
}

// Only what is linked dynamically has this section.
bool is_static_executable() {
#if defined(__ELF__)
  return _DYNAMIC == nullptr;
#else
  return false;
#endif
}

std::string place_of(const std::string& path) {
  if (!path.empty()) return path;
  const char* named = std::getenv("NANOEDGE_OPENVINO");
  return named != nullptr ? named : "";
}

void* open_library(const std::string& path) {
  if (!path.empty()) return dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
#if defined(__APPLE__)
  return dlopen("libopenvino_c.dylib", RTLD_NOW | RTLD_LOCAL);
#else
  return dlopen("libopenvino_c.so", RTLD_NOW | RTLD_LOCAL);
#endif
}

bool is_new_enough(const OpenVinoLibrary& api, std::string* reason) {
  openvino::Version version{};
  if (api.get_version(&version) != openvino::kOk) {
    *reason = "OpenVINO does not say its version; install another: pip install openvino.";
    return false;
  }
  const std::string build = version.build != nullptr ? version.build : "";
  api.version_free(&version);
  if (std::atoi(build.c_str()) >= kOldestYear) return true;
  *reason = "OpenVINO " + build + " is too old; NanoEdge needs 2025.0 or newer.";
  return false;
}

}  // namespace

const OpenVinoLibrary* OpenVinoLibrary::open(const std::string& path, std::string* reason) {
  if (is_static_executable()) {
    *reason =
        "A static executable cannot open OpenVINO's library. Use another engine, or NanoEdge's Python package: "
        "pip install openvino.";
    return nullptr;
  }
  static std::mutex turn;
  static std::map<std::string, OpenVinoLibrary> opened;
  const std::lock_guard<std::mutex> guard(turn);
  const std::string place = place_of(path);
  const auto known = opened.find(place);
  if (known != opened.end()) return &known->second;
  void* library = open_library(place);
  if (library == nullptr) {
    const char* message = dlerror();
    const std::string why = message != nullptr ? message : "not found";
    *reason =
        !path.empty() || place.empty()
            ? "OpenVINO's C library is not here (" + why +
                  "). Install it: pip install openvino; outside Python, set NANOEDGE_OPENVINO to the path of its "
                  "file libopenvino_c.so (with pip it lies in site-packages/openvino/libs, with a version behind)."
            : "NANOEDGE_OPENVINO names no library that can be opened (" + why +
                  "); it is the path of OpenVINO's file libopenvino_c.so.";
    return nullptr;
  }
  OpenVinoLibrary api{};
  if (!fill(library, api)) {
    *reason = "The library " + place + " lacks functions of OpenVINO's C API; NanoEdge needs OpenVINO 2025.0 or newer.";
    return nullptr;
  }
  if (!is_new_enough(api, reason)) return nullptr;
  return &opened.emplace(place, api).first->second;
}

std::string OpenVinoLibrary::message(int status) const {
  const char* text = last_error();
  std::string message = text != nullptr ? text : "";
  if (text != nullptr) free_text(text);
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
  const std::size_t line = message.rfind('\n');
  if (line != std::string::npos) message = message.substr(line + 1);
  return message.empty() ? "status " + std::to_string(status) : message;
}

}  // namespace nanoedge
