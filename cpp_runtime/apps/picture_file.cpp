#include "picture_file.hpp"

#include <spng.h>
#include <turbojpeg.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "exif.hpp"
#include "image/planes.hpp"
#include "nanoedge/error.hpp"

namespace nanoedge::apps {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 29;
constexpr int kJpegQuality = 92;

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
using Turbo = std::unique_ptr<void, void (*)(tjhandle)>;
using Png = std::unique_ptr<spng_ctx, void (*)(spng_ctx*)>;

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::image, "The picture " + path + " " + what + ".");
}

std::vector<std::uint8_t> read_bytes(const std::string& path) {
  const File file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) refuse(path, "cannot be read: " + std::string(std::strerror(errno)));
  std::vector<std::uint8_t> bytes;
  std::uint8_t block[65536];
  while (const std::size_t count = std::fread(block, 1, sizeof block, file.get())) {
    bytes.insert(bytes.end(), block, block + count);
    if (bytes.size() > kMaxFileBytes) refuse(path, "is larger than any picture");
  }
  if (std::ferror(file.get())) {
    if (errno == EISDIR) refuse(path, "is a folder; give its pictures by name");
    refuse(path, "cannot be read: " + std::string(std::strerror(errno)));
  }
  if (bytes.empty()) refuse(path, "is empty (0 bytes)");
  return bytes;
}

Picture make_picture(const std::string& path, std::uint64_t width, std::uint64_t height) {
  if (width < 1 || height < 1 || width > kMaxImageSide || height > kMaxImageSide) {
    refuse(path, "is " + std::to_string(width) + "x" + std::to_string(height) + " pixels, which is no usable size");
  }
  Picture picture;
  picture.width = static_cast<int>(width), picture.height = static_cast<int>(height);
  picture.pixels.resize(3 * width * height);
  return picture;
}

Picture decode_jpeg(const std::string& path, const std::vector<std::uint8_t>& bytes) {
  const Turbo turbo(tj3Init(TJINIT_DECOMPRESS), &tj3Destroy);
  if (!turbo) refuse(path, "cannot be decoded: there is not enough memory");
  const int status = tj3DecompressHeader(turbo.get(), bytes.data(), bytes.size());
  const int width = tj3Get(turbo.get(), TJPARAM_JPEGWIDTH), height = tj3Get(turbo.get(), TJPARAM_JPEGHEIGHT);
  if (status != 0 || width < 1 || height < 1) {
    const std::string why = status != 0 ? tj3GetErrorStr(turbo.get()) : "it has no header";
    refuse(path, "cannot be decoded, or it is damaged: " + why);
  }
  Picture picture = make_picture(path, static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height));
  // The rest of a file that is cut off would be grey: boxes in it would be wrong, so that is refused, as in Python.
  // Other warnings are harmless (bytes behind the picture, say).
  if (tj3Decompress8(turbo.get(), bytes.data(), bytes.size(), picture.pixels.data(), 0, TJPF_BGR) != 0) {
    const std::string why = tj3GetErrorStr(turbo.get());
    if (tj3GetErrorCode(turbo.get()) != TJERR_WARNING || why.find("Premature end") != std::string::npos) {
      refuse(path, "cannot be decoded, or it is damaged: " + why);
    }
  }
  return picture;
}

Picture decode_png(const std::string& path, const std::vector<std::uint8_t>& bytes, int& orientation) {
  const Png png(spng_ctx_new(0), &spng_ctx_free);
  spng_ihdr header{};
  if (!png) refuse(path, "cannot be decoded: there is not enough memory");
  spng_set_image_limits(png.get(), kMaxImageSide, kMaxImageSide);
  spng_set_chunk_limits(png.get(), 1 << 24, 1 << 26);
  int status = spng_set_png_buffer(png.get(), bytes.data(), bytes.size());
  if (status == 0) status = spng_get_ihdr(png.get(), &header);
  if (status != 0) refuse(path, "cannot be decoded: " + std::string(spng_strerror(status)));
  Picture picture = make_picture(path, header.width, header.height);
  status = spng_decode_image(png.get(), picture.pixels.data(), picture.pixels.size(), SPNG_FMT_RGB8, 0);
  if (status != 0) refuse(path, "cannot be decoded: " + std::string(spng_strerror(status)));
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3) std::swap(picture.pixels[i], picture.pixels[i + 2]);
  spng_exif exif{};
  if (spng_get_exif(png.get(), &exif) == 0) {
    orientation = orientation_of_exif(reinterpret_cast<const std::uint8_t*>(exif.data), exif.length);
  }
  return picture;
}

// EXIF orientations: 1 as it is, 2 mirrored, 3 turned by 180 degrees, 4 flipped, 5 to 8 with rows and columns swapped.
Picture turned(Picture source, int orientation) {
  if (orientation <= 1) return source;
  const bool swapped = orientation >= 5;
  const bool mirrored_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool mirrored_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Picture result;
  result.width = swapped ? source.height : source.width;
  result.height = swapped ? source.width : source.height;
  result.pixels.resize(source.pixels.size());
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      int from_x = swapped ? y : x, from_y = swapped ? x : y;
      if (mirrored_x) from_x = source.width - 1 - from_x;
      if (mirrored_y) from_y = source.height - 1 - from_y;
      std::memcpy(result.at(x, y), source.at(from_x, from_y), 3);
    }
  }
  return result;
}

}  // namespace

ImageView Picture::view() const {
  ImageView view;
  view.data = pixels.data();
  view.width = width, view.height = height;
  view.stride = std::ptrdiff_t{3} * width;
  view.size = pixels.size();
  return view;
}

Picture read_picture(const std::string& path) {
  const std::vector<std::uint8_t> bytes = read_bytes(path);
  static constexpr std::uint8_t kPngMark[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  if (bytes.size() > 3 && bytes[0] == 0xFF && bytes[1] == 0xD8) {
    return turned(decode_jpeg(path, bytes), orientation_of_jpeg(bytes.data(), bytes.size()));
  }
  if (bytes.size() > sizeof kPngMark && std::memcmp(bytes.data(), kPngMark, sizeof kPngMark) == 0) {
    int orientation = 1;
    Picture picture = decode_png(path, bytes, orientation);
    return turned(std::move(picture), orientation);
  }
  refuse(path, "is neither JPEG nor PNG");
}

Picture camera_frame(Picture picture) {
  Picture frame;
  frame.width = 640, frame.height = 480;
  frame.pixels.resize(std::size_t{3} * 640 * 480);
  for (int y = 0; y < frame.height; ++y) {
    for (int x = 0; x < frame.width; ++x) {
      const int from_x = x * picture.width / frame.width, from_y = y * picture.height / frame.height;
      std::memcpy(frame.at(x, y), picture.at(from_x, from_y), 3);
    }
  }
  return frame;
}

void write_jpeg(const std::string& path, const Picture& picture) {
  const Turbo turbo(tj3Init(TJINIT_COMPRESS), &tj3Destroy);
  unsigned char* data = nullptr;
  std::size_t size = 0;
  tj3Set(turbo.get(), TJPARAM_QUALITY, kJpegQuality);
  tj3Set(turbo.get(), TJPARAM_SUBSAMP, TJSAMP_420);
  const int status =
      tj3Compress8(turbo.get(), picture.pixels.data(), picture.width, 0, picture.height, TJPF_BGR, &data, &size);
  const std::unique_ptr<unsigned char, void (*)(void*)> owned(data, &tj3Free);
  const std::string aside = path + ".part" + std::to_string(::getpid());
  bool written = false;
  if (status == 0) {
    if (std::FILE* file = std::fopen(aside.c_str(), "wb")) {
      written = std::fwrite(data, 1, size, file) == size;
      written = std::fflush(file) == 0 && ::fsync(::fileno(file)) == 0 && written;
      written = std::fclose(file) == 0 && written;
    }
  }
  if (!written || std::rename(aside.c_str(), path.c_str()) != 0) {
    const std::string why = std::strerror(errno);
    std::remove(aside.c_str());
    throw std::runtime_error("The picture " + path + " cannot be written: " + why + ".");
  }
}

}  // namespace nanoedge::apps
