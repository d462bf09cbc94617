#include "image/planes.hpp"

#include <string>

#include "nanoedge/error.hpp"

namespace nanoedge {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorKind::image, message);
}

std::ptrdiff_t bytes_of_row(PixelFormat format, int width) {
  switch (format) {
    case PixelFormat::bgr:
    case PixelFormat::rgb:
      return std::ptrdiff_t{3} * width;
    case PixelFormat::bgra:
      return std::ptrdiff_t{4} * width;
    case PixelFormat::yuyv:
      return std::ptrdiff_t{2} * width;
    case PixelFormat::gray:
    case PixelFormat::nv12:
    case PixelFormat::i420:
      return width;
  }
  refuse("An image's pixel format is not one of PixelFormat.");
}

}  // namespace

Planes check_image(const ImageView& image) {
  const std::string size = std::to_string(image.width) + "x" + std::to_string(image.height);
  if (image.data == nullptr) refuse("An image's data is a null pointer.");
  if (image.width < 1 || image.height < 1) refuse("An image of " + size + " pixels has no content.");
  if (image.width > kMaxImageSide || image.height > kMaxImageSide) {
    refuse("An image of " + size + " pixels is too large; the limit is " + std::to_string(kMaxImageSide) + " a side.");
  }
  const bool quartered = image.format == PixelFormat::nv12 || image.format == PixelFormat::i420;
  if ((quartered || image.format == PixelFormat::yuyv) && image.width % 2 != 0) {
    refuse("An image with subsampled chroma needs an even width, not " + size + ".");
  }
  if (quartered && image.height % 2 != 0) {
    refuse("An image with subsampled chroma needs an even height, not " + size + ".");
  }
  const std::ptrdiff_t row = bytes_of_row(image.format, image.width);
  Planes planes{image.data, nullptr, nullptr, image.stride, 0, image.width, image.height, image.format};
  if (planes.stride == 0) planes.stride = row;
  if (planes.stride < row) {
    refuse("An image's stride of " + std::to_string(image.stride) + " bytes is less than its row of " +
           std::to_string(row) + " bytes.");
  }
  constexpr std::ptrdiff_t kLargestStride = sizeof(std::ptrdiff_t) > 4 ? std::ptrdiff_t{1} << 30 : 1 << 16;
  if (planes.stride > kLargestStride) refuse("An image's stride is larger than any image's.");

  const std::ptrdiff_t rows = image.height, chroma_rows = image.height / 2;
  std::ptrdiff_t needed = planes.stride * (rows - 1) + row;
  if (quartered) {
    const bool interleaved = image.format == PixelFormat::nv12;
    const std::ptrdiff_t chroma_row = interleaved ? image.width : image.width / 2;
    planes.chroma_stride = image.chroma_stride != 0 ? image.chroma_stride
                           : interleaved            ? planes.stride
                                                    : planes.stride / 2;
    if (planes.chroma_stride < chroma_row) {
      refuse("An image's chroma stride of " + std::to_string(planes.chroma_stride) + " bytes is less than its row of " +
             std::to_string(chroma_row) + " bytes.");
    }
    if (planes.chroma_stride > kLargestStride) refuse("An image's chroma stride is larger than any image's.");
    if (!interleaved && (image.u == nullptr) != (image.v == nullptr)) {
      refuse(std::string("An I420 image names its plane of ") +
             (image.u != nullptr ? "U but not that of V." : "V but not that of U."));
    }
    if (image.u != nullptr) {
      planes.u = image.u, planes.v = interleaved ? image.u + 1 : image.v;
    } else {
      const std::ptrdiff_t plane = planes.chroma_stride * chroma_rows;
      planes.u = image.data + planes.stride * rows;
      planes.v = interleaved ? planes.u + 1 : planes.u + plane;
      needed = planes.stride * rows + (interleaved ? 0 : plane) + planes.chroma_stride * (chroma_rows - 1) + chroma_row;
    }
  }
  if (image.size != 0 && image.size < static_cast<std::size_t>(needed)) {
    refuse("An image's buffer holds " + std::to_string(image.size) + " bytes, but " + size + " pixels need " +
           std::to_string(needed) + ".");
  }
  return planes;
}

}  // namespace nanoedge
