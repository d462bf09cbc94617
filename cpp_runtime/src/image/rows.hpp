// Rows of an image as interleaved 8-bit channels, converted one row at a time where the format asks for it.
#pragma once

#include <cstdint>
#include <vector>

#include "image/planes.hpp"

namespace nanoedge {

// One row: `channels` bytes a pixel, of which `blue`, `green` and `red` say the places.
struct RowLayout {
  int channels = 3;
  int blue = 0, green = 1, red = 2;
};

// How the rows of a format come out of a RowReader.
RowLayout layout_of(PixelFormat format);

// Gives rows of one image. Formats with colours as BGR(A), RGB or GRAY are not copied; YUV rows are converted into a
// buffer of one row (ITU-R BT.601, luma 16..235).
class RowReader {
 public:
  // Prepares for images of this format and width; allocates when they need a larger buffer than any before.
  void prepare(PixelFormat format, int width);

  // The row `y`; valid until the next call.
  const std::uint8_t* row(const Planes& image, int y);

 private:
  std::vector<std::uint8_t> buffer_;
};

}  // namespace nanoedge
