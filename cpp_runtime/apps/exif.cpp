#include "exif.hpp"

#include <cstring>

namespace nanoedge::apps {
namespace {

constexpr std::uint16_t kOrientationTag = 0x0112, kShortType = 3;
constexpr std::uint8_t kStartOfScan = 0xDA, kApplication1 = 0xE1;

class TiffReader {
 public:
  TiffReader(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {
    little_ = size >= 2 && data[0] == 'I' && data[1] == 'I';
  }
  bool has(std::size_t at, std::size_t count) const { return at <= size_ && count <= size_ - at; }
  std::uint16_t two(std::size_t at) const {
    const std::uint16_t a = data_[at], b = data_[at + 1];
    return static_cast<std::uint16_t>(little_ ? a | b << 8 : a << 8 | b);
  }
  std::uint32_t four(std::size_t at) const {
    const std::uint32_t first = two(at), second = two(at + 2);
    return little_ ? first | second << 16 : first << 16 | second;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
  bool little_;
};

}  // namespace

int orientation_of_exif(const std::uint8_t* data, std::size_t size) {
  const TiffReader tiff(data, size);
  if (!tiff.has(0, 8) || tiff.two(2) != 42) return 1;
  const std::size_t directory = tiff.four(4);
  if (!tiff.has(directory, 2)) return 1;
  const std::size_t count = tiff.two(directory);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (!tiff.has(entry, 12)) return 1;
    if (tiff.two(entry) != kOrientationTag || tiff.two(entry + 2) != kShortType) continue;
    const int value = tiff.two(entry + 8);
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}

int orientation_of_jpeg(const std::uint8_t* data, std::size_t size) {
  std::size_t at = 2;  // after the start of image
  while (at + 4 <= size && data[at] == 0xFF && data[at + 1] != kStartOfScan) {
    if (data[at + 1] == 0xFF) {  // a fill byte
      ++at;
      continue;
    }
    const std::size_t length = static_cast<std::size_t>(data[at + 2]) << 8 | data[at + 3];
    if (length < 2 || at + 2 + length > size) return 1;
    const std::uint8_t* content = data + at + 4;
    if (data[at + 1] == kApplication1 && length >= 8 && std::memcmp(content, "Exif\0\0", 6) == 0) {
      return orientation_of_exif(content + 6, length - 8);
    }
    at += 2 + length;
  }
  return 1;
}

}  // namespace nanoedge::apps
