#pragma once

#include <cstddef>
#include <cstdint>

namespace nanoedge::apps {

// The orientation, 1..8, of a JPEG file's EXIF data; 1 when it has none.
int orientation_of_jpeg(const std::uint8_t* data, std::size_t size);

// The same of EXIF data by themselves, a TIFF header and its directory.
int orientation_of_exif(const std::uint8_t* data, std::size_t size);

}  // namespace nanoedge::apps
