// What a kernel gets: one operation with its maps in memory and its weights packed.
//
// Files of this folder are compiled once for each instruction set, so they use no inline function of the standard
// library that a linker could take from the wrong one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nanoedge::native {

enum class Kind : std::uint8_t {
  convolution = 1,
  depthwise = 2,
  max_pool = 3,
  add = 4,
  upsample_bilinear = 5,
  upsample_nearest = 6,
  interleave = 7,
  copy = 8,
  activate = 9,
  global_average = 10,
  gate = 11,
};
constexpr int kKinds = 12;

enum class Activation : std::uint8_t { none, relu, relu6, leaky_relu, hard_swish, silu, hard_sigmoid };

enum class Element : std::uint8_t { f32, u8, bf16, f16 };  // in files: the first two

// [height, width, channels] in memory: `pixel` and `row` are distances in values.
struct Map {
  void* data = nullptr;  // the first channel of the first pixel inside the border
  int channels = 0, height = 0, width = 0;
  std::ptrdiff_t pixel = 0, row = 0;
  Element element = Element::f32;
  int zero_point = 0;  // the byte that stands for zero
  int border_top = 0, border_left = 0, border_bottom = 0, border_right = 0;

  float* f32(int y, int x) const { return static_cast<float*>(data) + y * row + x * pixel; }
  std::uint8_t* u8(int y, int x) const { return static_cast<std::uint8_t*>(data) + y * row + x * pixel; }
  std::uint16_t* bf16(int y, int x) const { return static_cast<std::uint16_t*>(data) + y * row + x * pixel; }
  bool is_contiguous() const { return row == width * pixel; }
};

struct Step {
  Kind kind = Kind::copy;
  Activation activation = Activation::none;
  float slope = 0;
  Map in, in2, out;
  int kernel = 1, stride = 1, top = 0, left = 0;
  int room = 0;                         // channels of the output, from its first on, that may be overwritten
  const void* weights = nullptr;        // as the kernel packed them
  const float* bias = nullptr;          // one a channel, in the kernel's order, zeros behind them up to whole vectors
  const float* multiplier = nullptr;    // int8: likewise
  const std::int32_t* start = nullptr;  // int8: likewise; what the input's zero point takes from the sums
  float scalars[6] = {};                // int8: see docs/native_format.md
};

// One kind of operation. Work is cut into items, so that threads can share it; any two may run at the same time.
struct Kernel {
  int (*items)(const Step& step) = nullptr;
  void (*run)(const Step& step, int first, int end, void* scratch) = nullptr;
  // Bytes that packed weights take, and packing them from [output channels, input channels / groups, kernel, kernel];
  // null where an operation has no weights.
  std::size_t (*packed_size)(const Step& step) = nullptr;
  void (*pack)(const Step& step, const void* weights, void* packed) = nullptr;
  // The channel whose bias, multiplier and start stand in some place, also one beyond the last; null: in order.
  int (*channel_at)(const Step& step, int place) = nullptr;
  // Bytes of memory that each thread needs while it runs; null for none.
  std::size_t (*scratch_size)(const Step& step) = nullptr;
};

// One kernel for each kind of operation, by its number; null where there is none.
struct Kernels {
  Kernel of[kKinds];
};

// What a CPU has for maps of one kind of 16 bits. The picture and the network's output are float32.
struct HalfKernels {
  const Kernels* of_maps;
  const Kernel* convolution;  // in place of that of the maps
  const Kernel* first;        // from float32
  const Kernel* last;         // into float32
};

// All of one instruction set: for inputs of float32, and of bytes.
struct KernelTable {
  const char* name;
  bool (*is_usable)();
  const Kernels* f32;
  const Kernels* u8;
  // Convolutions of bytes in place of those of `u8`; what there is for bfloat16; depth-wise ones of bytes; what there
  // is for half precision. Null where the CPU has nothing.
  const Kernel* u8_convolution = nullptr;
  const HalfKernels* bf16 = nullptr;
  const Kernel* u8_depthwise = nullptr;
  const HalfKernels* f16 = nullptr;

  // Null for the elements of files.
  const HalfKernels* half(Element element) const {
    return element == Element::bf16 ? bf16 : element == Element::f16 ? f16 : nullptr;
  }

  // By what goes in and what comes out.
  const Kernel& kernel(Kind kind, Element in, Element out) const {
    if (const HalfKernels* of_half = half(in == Element::f32 ? out : in); of_half != nullptr) {
      if (kind != Kind::convolution) return of_half->of_maps->of[static_cast<int>(kind)];
      return *(in == Element::f32 ? of_half->first : out == Element::f32 ? of_half->last : of_half->convolution);
    }
    if (kind == Kind::convolution && in == Element::u8 && u8_convolution != nullptr) return *u8_convolution;
    if (kind == Kind::depthwise && in == Element::u8 && u8_depthwise != nullptr) return *u8_depthwise;
    return (in == Element::u8 ? u8 : f32)->of[static_cast<int>(kind)];
  }
};

constexpr int kWidestBlock = 64;  // channels; biases are padded to it
constexpr int kMostKernel = 15;   // rows and columns of a filter

extern const Kernels scalar_f32, scalar_u8;
#if defined(__x86_64__)
extern const Kernels avx2_f32, avx2_u8, avxvnni_u8, avx512_f32, avx512vnni_u8;
extern const Kernels bf16_maps;
extern const Kernel amx_u8_convolution, bf16_first_convolution, avx512_bf16_convolution, amx_bf16_convolution;
#elif defined(__aarch64__)
extern const Kernels neon_f32, neon_u8, neon_f16;
extern const Kernel neon_dot_convolution, neon_dot_depthwise, neon_i8mm_convolution;
extern const Kernel neon_f16_convolution, neon_f16_first_convolution, neon_f16_last_convolution;
#elif defined(__arm__)
extern const Kernels neon_f32, neon_u8;
#endif

}  // namespace nanoedge::native
