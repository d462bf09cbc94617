// Pictures as files: JPEG and PNG, EXIF orientation applied.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nanoedge/image.hpp"

namespace nanoedge::apps {

// Pixels in BGR without gaps.
struct Picture {
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels;

  ImageView view() const;
  std::uint8_t* at(int x, int y) { return pixels.data() + 3 * (static_cast<std::size_t>(y) * width + x); }
};

// Reads a JPEG or PNG file and turns it as its EXIF data say. Throws Error (image) when it is neither, or damaged.
Picture read_picture(const std::string& path);

// The picture at 640x480, by nearest neighbours: a frame as a camera gives it.
Picture camera_frame(Picture picture);

// Writes a JPEG file, whole or not at all. Throws Error (input).
void write_jpeg(const std::string& path, const Picture& picture);

}  // namespace nanoedge::apps
