// What float32 and int8 kernels share. No inline function of another library: see step.hpp.
#pragma once

#include "native/kernels/step.hpp"

// A function that no caller gets a version of its own of: Clang has a word for half of that.
#if defined(__clang__)
#define NANOEDGE_COMPILED_ONCE __attribute__((noinline))
#else
#define NANOEDGE_COMPILED_ONCE __attribute__((noinline, noclone))
#endif

namespace nanoedge::native {
namespace {

inline int smaller(int a, int b) {
  return a < b ? a : b;
}
inline int larger(int a, int b) {
  return a > b ? a : b;
}

// An activation as a type, for lambdas.
template <Activation kind>
struct ActivationTag {
  static constexpr Activation value = kind;
};

// A 1x1 convolution sees one long row of pixels.
inline bool is_flat(const Step& step) {
  return step.kernel == 1 && step.stride == 1 && step.in.is_contiguous() && step.out.is_contiguous();
}

// Its items: about as many pixels each, so that none is left with a few.
constexpr int kPixelsOfItem = 24;  // their inputs stay in the first cache
inline int flat_items_of(const Step& step) {
  return (step.out.height * step.out.width + kPixelsOfItem - 1) / kPixelsOfItem;
}
inline int first_pixel_of(const Step& step, int item) {
  const std::ptrdiff_t count = static_cast<std::ptrdiff_t>(step.out.height) * step.out.width;
  return static_cast<int>(item * count / flat_items_of(step));
}

inline std::ptrdiff_t bytes_of(Element element) {
  return element == Element::f32 ? 4 : element == Element::u8 ? 1 : 2;
}
inline void* pixel_of(const Map& map, int y, int x) {
  return static_cast<char*>(map.data) + bytes_of(map.element) * (y * map.row + x * map.pixel);
}
inline std::ptrdiff_t pixel_bytes(const Map& map) {
  return map.pixel * bytes_of(map.element);
}

inline int rows_of(const Step& step) {
  return step.out.height;
}
inline int one_item(const Step&) {
  return 1;
}
// Rows with those of the border.
inline int bordered_rows_of(const Step& step) {
  return step.out.border_top + step.out.height + step.out.border_bottom;
}

}  // namespace
}  // namespace nanoedge::native
