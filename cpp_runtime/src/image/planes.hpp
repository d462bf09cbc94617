// An ImageView that was checked: where its planes are.
#pragma once

#include <cstddef>
#include <cstdint>

#include "nanoedge/image.hpp"

namespace nanoedge {

inline constexpr int kMaxImageSide = 16384;

// Pointers and strides of a checked view. `luma` is the only plane of packed formats.
struct Planes {
  const std::uint8_t* luma = nullptr;
  const std::uint8_t* u = nullptr;
  const std::uint8_t* v = nullptr;
  std::ptrdiff_t stride = 0;
  std::ptrdiff_t chroma_stride = 0;
  int width = 0, height = 0;
  PixelFormat format = PixelFormat::bgr;
};

// Throws Error (image): a null or short buffer, a size that is no image's, a stride that is too small or negative.
Planes check_image(const ImageView& image);

}  // namespace nanoedge
