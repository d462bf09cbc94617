#include "image/rows.hpp"

#include <algorithm>

namespace nanoedge {
namespace {

// BT.601 with 16..235 luma and 16..240 chroma, in 1/2^14: R = 1.164 (Y-16) + 1.596 V, and so on.
constexpr int kBits = 14, kHalf = 1 << (kBits - 1);
constexpr int kLuma = 19077, kRedV = 26149, kGreenU = -6419, kGreenV = -13320, kBlueU = 33050;

inline std::uint8_t clamp_byte(int value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0, 255));
}

// What the chroma of a pixel adds to its channels.
struct Tint {
  int blue, green, red;
};

inline Tint tint_of(int u, int v) {
  u -= 128, v -= 128;
  return {kBlueU * u + kHalf, kGreenU * u + kGreenV * v + kHalf, kRedV * v + kHalf};
}

inline void write_pixel(std::uint8_t* pixel, int luma, const Tint& tint) {
  const int light = kLuma * std::max(luma - 16, 0);
  pixel[0] = clamp_byte((light + tint.blue) >> kBits);
  pixel[1] = clamp_byte((light + tint.green) >> kBits);
  pixel[2] = clamp_byte((light + tint.red) >> kBits);
}

// Two pixels share a chroma sample: luma `luma_step` bytes apart, chroma `chroma_step` bytes from pair to pair.
template <int luma_step, int chroma_step>
void convert_row(const std::uint8_t* luma, const std::uint8_t* u, const std::uint8_t* v, int width, std::uint8_t* out) {
  for (int pair = 0; pair < width / 2; ++pair) {
    const Tint tint = tint_of(u[pair * chroma_step], v[pair * chroma_step]);
    write_pixel(out + 6 * pair, luma[2 * pair * luma_step], tint);
    write_pixel(out + 6 * pair + 3, luma[(2 * pair + 1) * luma_step], tint);
  }
}

}  // namespace

RowLayout layout_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::rgb:
      return {3, 2, 1, 0};
    case PixelFormat::bgra:
      return {4, 0, 1, 2};
    case PixelFormat::gray:
      return {1, 0, 0, 0};
    default:
      return {3, 0, 1, 2};
  }
}

void RowReader::prepare(PixelFormat format, int width) {
  const bool converts = format == PixelFormat::nv12 || format == PixelFormat::i420 || format == PixelFormat::yuyv;
  const std::size_t needed = converts ? 3 * static_cast<std::size_t>(width) : 0;
  if (buffer_.size() < needed) buffer_.resize(needed);
}

const std::uint8_t* RowReader::row(const Planes& image, int y) {
  const std::uint8_t* luma = image.luma + image.stride * y;
  const std::ptrdiff_t chroma = image.chroma_stride * (y / 2);
  switch (image.format) {
    case PixelFormat::nv12:
      convert_row<1, 2>(luma, image.u + chroma, image.v + chroma, image.width, buffer_.data());
      return buffer_.data();
    case PixelFormat::i420:
      convert_row<1, 1>(luma, image.u + chroma, image.v + chroma, image.width, buffer_.data());
      return buffer_.data();
    case PixelFormat::yuyv:
      convert_row<2, 4>(luma, luma + 1, luma + 3, image.width, buffer_.data());
      return buffer_.data();
    default:
      return luma;
  }
}

}  // namespace nanoedge
