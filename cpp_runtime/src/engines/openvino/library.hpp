// OpenVINO's C API, opened at run time: the C++ library's name changes with every release, and its absence must cost a
// sentence, not a crash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace nanoedge {

// The part of the ABI that is used; from OpenVINO 2025.0 on, whose element types are numbered so.
namespace openvino {

struct Core;
struct Model;
struct CompiledModel;
struct InferRequest;
struct Tensor;
struct Shape {
  std::int64_t rank;
  std::int64_t* dims;
};
struct Version {
  const char* build;
  const char* description;
};
inline constexpr int kOk = 0, kFloat32 = 4, kUint8 = 16;

}  // namespace openvino

// Pointers to the library's functions. One a process; never closed, because its threads outlive it.
struct OpenVinoLibrary {
  // The library at `path`, or where it is found when that is empty: the variable NANOEDGE_OPENVINO, then the dynamic
  // linker's places. Null, with the reason, when there is none that can be used.
  static const OpenVinoLibrary* open(const std::string& path, std::string* reason);

  // The last error's text, or the status.
  std::string message(int status) const;

  int (*get_version)(openvino::Version*);
  void (*version_free)(openvino::Version*);
  int (*core_create)(openvino::Core**);
  void (*core_free)(openvino::Core*);
  int (*core_get_property)(const openvino::Core*, const char*, const char*, char**);
  int (*core_read_model)(const openvino::Core*, const char*, std::size_t, const openvino::Tensor*, openvino::Model**);
  int (*core_compile_model)(const openvino::Core*, const openvino::Model*, const char*, std::size_t,
                            openvino::CompiledModel**, ...);
  void (*model_free)(openvino::Model*);
  int (*create_infer_request)(const openvino::CompiledModel*, openvino::InferRequest**);
  void (*compiled_model_free)(openvino::CompiledModel*);
  int (*get_tensor)(const openvino::InferRequest*, const char*, openvino::Tensor**);
  int (*set_tensor)(openvino::InferRequest*, const char*, const openvino::Tensor*);
  int (*infer)(openvino::InferRequest*);
  void (*infer_request_free)(openvino::InferRequest*);
  int (*tensor_create)(int, openvino::Shape, openvino::Tensor**);
  int (*tensor_data)(const openvino::Tensor*, void**);
  int (*tensor_from_pointer)(int, openvino::Shape, void*, openvino::Tensor**);
  int (*tensor_shape)(const openvino::Tensor*, openvino::Shape*);
  int (*tensor_byte_size)(const openvino::Tensor*, std::size_t*);
  void (*tensor_free)(openvino::Tensor*);
  int (*shape_free)(openvino::Shape*);
  void (*free_text)(const char*);
  const char* (*last_error)();
};

}  // namespace nanoedge
