#include <catch.hpp>

#include <cstdint>
#include <vector>

#include "image/planes.hpp"
#include "refusal.hpp"

using namespace nanoedge;

static const std::vector<std::uint8_t> kBytes(64 * 64 * 4);

static ImageView view(PixelFormat format, int width = 16, int height = 8, std::ptrdiff_t stride = 0) {
  ImageView image;
  image.data = kBytes.data(), image.width = width, image.height = height, image.stride = stride;
  image.format = format;
  return image;
}

static std::string refused(const ImageView& image) {
  return refusal([&] { check_image(image); });
}

TEST_CASE("a stride of 0 means rows without gaps") {
  CHECK(check_image(view(PixelFormat::bgr)).stride == 48);
  CHECK(check_image(view(PixelFormat::bgra)).stride == 64);
  CHECK(check_image(view(PixelFormat::gray)).stride == 16);
  CHECK(check_image(view(PixelFormat::yuyv)).stride == 32);
}

TEST_CASE("chroma planes follow the luma, with the same gaps") {
  const Planes nv12 = check_image(view(PixelFormat::nv12, 16, 8, 20));
  CHECK(nv12.u == kBytes.data() + 20 * 8);
  CHECK(nv12.v == nv12.u + 1);
  CHECK(nv12.chroma_stride == 20);
  const Planes i420 = check_image(view(PixelFormat::i420, 16, 8, 20));
  CHECK(i420.u == kBytes.data() + 20 * 8);
  CHECK(i420.v == i420.u + 10 * 4);
  CHECK(i420.chroma_stride == 10);
}

TEST_CASE("chroma planes may lie elsewhere") {
  ImageView image = view(PixelFormat::i420);
  image.u = kBytes.data() + 1000, image.v = kBytes.data() + 2000, image.chroma_stride = 32;
  const Planes planes = check_image(image);
  CHECK(planes.u == image.u);
  CHECK(planes.v == image.v);
  CHECK(planes.chroma_stride == 32);
  image.v = nullptr;
  CHECK_THAT(refused(image), Catch::Contains("names its plane of U but not that of V"));
  image.v = image.u, image.u = nullptr;
  CHECK_THAT(refused(image), Catch::Contains("names its plane of V but not that of U"));
}

TEST_CASE("what describes no image is refused with a sentence") {
  ImageView image = view(PixelFormat::bgr);
  image.data = nullptr;
  CHECK_THAT(refused(image), Catch::Contains("null pointer"));
  CHECK_THAT(refused(view(PixelFormat::bgr, 0, 8)), Catch::Contains("0x8 pixels has no content"));
  CHECK_THAT(refused(view(PixelFormat::bgr, 16, -1)), Catch::Contains("has no content"));
  CHECK_THAT(refused(view(PixelFormat::bgr, 20000, 8)), Catch::Contains("too large"));
  CHECK_THAT(refused(view(PixelFormat::bgr, 16, 8, 47)), Catch::Contains("less than its row of 48"));
  CHECK_THAT(refused(view(PixelFormat::bgr, 16, 8, -48)), Catch::Contains("stride of -48"));
  CHECK_THAT(refused(view(PixelFormat::nv12, 15, 8)), Catch::Contains("even width"));
  CHECK_THAT(refused(view(PixelFormat::i420, 16, 7)), Catch::Contains("even height"));
  CHECK_THAT(refused(view(PixelFormat::yuyv, 15, 8)), Catch::Contains("even width"));
  CHECK_THAT(refused(view(static_cast<PixelFormat>(77))), Catch::Contains("not one of PixelFormat"));
  image = view(PixelFormat::i420);
  image.chroma_stride = 7;
  CHECK_THAT(refused(image), Catch::Contains("chroma stride of 7"));
  image = view(PixelFormat::nv12);
  image.size = 192, image.chroma_stride = PTRDIFF_MAX / 2 + 1;
  CHECK_THAT(refused(image), Catch::Contains("chroma stride is larger"));
}

TEST_CASE("a short buffer is noticed, the last row's gap is not needed") {
  for (const PixelFormat format : {PixelFormat::bgr, PixelFormat::bgra, PixelFormat::gray, PixelFormat::yuyv}) {
    ImageView image = view(format);
    const Planes planes = check_image(image);
    image.size = static_cast<std::size_t>(planes.stride) * 8;
    CHECK(refused(image).empty());
    image.size -= 1;
    CHECK_THAT(refused(image), Catch::Contains("buffer holds"));
  }
  ImageView image = view(PixelFormat::bgr, 16, 8, 60);
  image.size = 60 * 7 + 48;
  CHECK(refused(image).empty());
  for (const PixelFormat format : {PixelFormat::nv12, PixelFormat::i420}) {
    image = view(format);
    image.size = 16 * 8 * 3 / 2;
    CHECK(refused(image).empty());
    image.size -= 1;
    CHECK_THAT(refused(image), Catch::Contains("buffer holds 191 bytes"));
  }
}
