// A view on pixels that somebody else owns.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nanoedge {

// How pixels lie in memory, 8 bits a channel. YUV is BT.601 with 16..235 luma, as cameras deliver it.
enum class PixelFormat {
  bgr,   // 3 bytes a pixel
  rgb,   // 3 bytes a pixel
  bgra,  // 4 bytes a pixel; alpha is ignored
  gray,  // 1 byte a pixel
  nv12,  // a plane of luma, then a plane of interleaved U and V at half the resolution
  i420,  // a plane of luma, then one of U and one of V at half the resolution
  yuyv,  // 4 bytes for two pixels: Y U Y V
};

// Pixels of one image. The memory must stay as it is until the call that received the view returns.
//
// Planes of NV12 and I420 follow each other unless `u` (and `v`) say where they are: the chroma rows of NV12 are then
// `stride` bytes apart, those of I420 `stride / 2`.
struct ImageView {
  const std::uint8_t* data = nullptr;
  int width = 0;              // pixels, 1..16384; even for nv12, i420 and yuyv
  int height = 0;             // pixels, 1..16384; even for nv12 and i420
  std::ptrdiff_t stride = 0;  // bytes from one row to the next; 0: rows follow without a gap
  PixelFormat format = PixelFormat::bgr;
  std::size_t size = 0;              // bytes at `data`, for checking; 0: not known
  const std::uint8_t* u = nullptr;   // nv12: the plane of U and V; i420: the plane of U; null: after the luma
  const std::uint8_t* v = nullptr;   // i420: the plane of V
  std::ptrdiff_t chroma_stride = 0;  // bytes between rows of chroma; 0: as described above
};

}  // namespace nanoedge
