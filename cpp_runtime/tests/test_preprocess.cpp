#include <catch.hpp>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "image/preprocess.hpp"

using namespace nanoedge;

namespace {

InputSpec input(int width, int height, Resize resize = Resize::stretch) {
  InputSpec spec;
  spec.width = width, spec.height = height, spec.resize = resize, spec.pad_value = 114;
  spec.mean = {103.53F, 116.28F, 123.675F};
  spec.std = {57.375F, 57.12F, 58.395F};
  return spec;
}

// A random image in B, G, R without gaps.
struct Colours {
  int width, height;
  std::vector<std::uint8_t> bytes;

  Colours(int width_, int height_, unsigned seed) : width(width_), height(height_), bytes(3 * width_ * height_) {
    std::mt19937 random(seed);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  }
  std::uint8_t at(int x, int y, int channel) const { return bytes[3 * (y * width + x) + channel]; }
};

std::vector<float> prepared(const ImageView& image, const InputSpec& spec, Placement* placement = nullptr) {
  std::vector<float> tensor(3 * spec.width * spec.height, -1e9F);
  Preprocessor preprocessor(spec);
  const Placement placed = preprocessor.run(
      check_image(image), InputView::planes(tensor.data(), static_cast<std::size_t>(spec.width * spec.height)));
  if (placement != nullptr) *placement = placed;
  return tensor;
}

ImageView view_of(const Colours& image) {
  ImageView view;
  view.data = image.bytes.data(), view.width = image.width, view.height = image.height;
  return view;
}

// The scalar twin: half-pixel bilinear in double, rounded to a grey level.
double grey_level(const Colours& image, int channel, int x, int y, int to_width, int to_height) {
  const auto axis = [](int i, int from, int to, int& low, int& high) {
    double at = (i + 0.5) * from / to - 0.5;
    at = std::clamp(at, 0.0, double(from - 1));
    low = static_cast<int>(at), high = std::min(low + 1, from - 1);
    return at - low;
  };
  int left, right, top, bottom;
  const double fx = axis(x, image.width, to_width, left, right), fy = axis(y, image.height, to_height, top, bottom);
  const double above = image.at(left, top, channel) * (1 - fx) + image.at(right, top, channel) * fx;
  const double below = image.at(left, bottom, channel) * (1 - fx) + image.at(right, bottom, channel) * fx;
  return above * (1 - fy) + below * fy;
}

}  // namespace

TEST_CASE("stretching is within one grey level of bilinear interpolation everywhere") {
  const struct {
    int width, height;
  } sizes[] = {{640, 480}, {1, 1}, {2, 3}, {96, 64}, {97, 31}, {33, 200}, {1, 50}, {301, 1}};
  const InputSpec spec = input(96, 64);
  for (const auto size : sizes) {
    const Colours image(size.width, size.height, 1);
    const std::vector<float> tensor = prepared(view_of(image), spec);
    double worst = 0;
    for (int c = 0; c < 3; ++c) {
      for (int y = 0; y < 64; ++y) {
        for (int x = 0; x < 96; ++x) {
          const double level = tensor[(c * 64 + y) * 96 + x] * spec.std[c] + spec.mean[c];
          worst = std::max(worst, std::fabs(level - grey_level(image, c, x, y, 96, 64)));
        }
      }
    }
    CHECK(worst <= 1.0);
  }
}

TEST_CASE("an image of the input's size is only normalised") {
  const Colours image(64, 32, 2);
  const InputSpec spec = input(64, 32);
  const std::vector<float> tensor = prepared(view_of(image), spec);
  for (int c = 0; c < 3; ++c) {
    for (int i = 0; i < 64 * 32; ++i) {
      REQUIRE(tensor[c * 64 * 32 + i] == Approx((image.bytes[3 * i + c] - spec.mean[c]) / spec.std[c]).margin(1e-5));
    }
  }
}

TEST_CASE("formats of the same colours give the same tensor, whatever their stride") {
  const Colours image(50, 40, 3);
  const InputSpec spec = input(64, 32);
  const std::vector<float> wanted = prepared(view_of(image), spec);
  const int gap = 13;
  for (const PixelFormat format : {PixelFormat::bgr, PixelFormat::rgb, PixelFormat::bgra}) {
    const int channels = format == PixelFormat::bgra ? 4 : 3, stride = channels * image.width + gap;
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(stride) * image.height, 7);
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        for (int c = 0; c < 3; ++c) {
          const int place = format == PixelFormat::rgb ? 2 - c : c;
          bytes[y * stride + x * channels + place] = image.at(x, y, c);
        }
      }
    }
    ImageView view = view_of(image);
    view.data = bytes.data(), view.stride = stride, view.format = format;
    CHECK(prepared(view, spec) == wanted);
  }
}

TEST_CASE("grey is three equal colours") {
  Colours image(50, 40, 4);
  std::vector<std::uint8_t> grey(50 * 40);
  for (int i = 0; i < 50 * 40; ++i) {
    grey[i] = image.bytes[3 * i];
    image.bytes[3 * i + 1] = image.bytes[3 * i + 2] = grey[i];
  }
  ImageView view = view_of(image);
  const InputSpec spec = input(64, 32);
  const std::vector<float> wanted = prepared(view, spec);
  view.data = grey.data(), view.format = PixelFormat::gray;
  CHECK(prepared(view, spec) == wanted);
}

TEST_CASE("YUV formats of the same samples agree with each other, and known colours come out") {
  const int width = 48, height = 32;
  std::mt19937 random(5);
  std::vector<std::uint8_t> luma(width * height), u(width * height / 4), v(width * height / 4);
  for (auto* plane : {&luma, &u, &v}) {
    for (auto& byte : *plane) byte = static_cast<std::uint8_t>(random());
  }
  std::vector<std::uint8_t> i420(luma), nv12(luma), yuyv;
  i420.insert(i420.end(), u.begin(), u.end());
  i420.insert(i420.end(), v.begin(), v.end());
  for (std::size_t i = 0; i < u.size(); ++i) nv12.push_back(u[i]), nv12.push_back(v[i]);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; x += 2) {
      const int chroma = y / 2 * (width / 2) + x / 2;
      for (const std::uint8_t byte : {luma[y * width + x], u[chroma], luma[y * width + x + 1], v[chroma]}) {
        yuyv.push_back(byte);
      }
    }
  }
  ImageView view;
  view.data = i420.data(), view.width = width, view.height = height, view.format = PixelFormat::i420;
  const InputSpec spec = input(64, 32);
  const std::vector<float> wanted = prepared(view, spec);
  view.data = nv12.data(), view.format = PixelFormat::nv12;
  CHECK(prepared(view, spec) == wanted);
  view.data = yuyv.data(), view.format = PixelFormat::yuyv;
  CHECK(prepared(view, spec) == wanted);

  const struct {
    int y, u, v, blue, green, red;
  } known[] = {
      {16, 128, 128, 0, 0, 0}, {235, 128, 128, 255, 255, 255}, {81, 90, 240, 0, 0, 255}, {41, 240, 110, 255, 0, 0}};
  for (const auto& colour : known) {
    std::vector<std::uint8_t> bytes(width * height * 3 / 2, static_cast<std::uint8_t>(colour.y));
    std::fill(bytes.begin() + width * height, bytes.begin() + width * height * 5 / 4,
              static_cast<std::uint8_t>(colour.u));
    std::fill(bytes.begin() + width * height * 5 / 4, bytes.end(), static_cast<std::uint8_t>(colour.v));
    view.data = bytes.data(), view.format = PixelFormat::i420;
    const std::vector<float> tensor = prepared(view, spec);
    const int wanted_levels[] = {colour.blue, colour.green, colour.red};
    for (int c = 0; c < 3; ++c) {
      CHECK(std::fabs(tensor[c * 64 * 32] * spec.std[c] + spec.mean[c] - wanted_levels[c]) <= 2.0);
    }
  }
}

TEST_CASE("letterboxing keeps the aspect, centres, and pads") {
  const Colours image(100, 50, 6);
  const InputSpec spec = input(64, 64, Resize::letterbox);
  Placement placement;
  const std::vector<float> tensor = prepared(view_of(image), spec, &placement);
  CHECK(placement.scale_x == Approx(0.64));
  CHECK(placement.scale_y == Approx(0.64));
  CHECK(placement.shift_x == 0);
  CHECK(placement.shift_y == 16);
  for (int c = 0; c < 3; ++c) {
    const float pad = (114 - spec.mean[c]) / spec.std[c];
    for (const int y : {0, 15, 48, 63}) CHECK(tensor[(c * 64 + y) * 64 + 5] == Approx(pad).margin(1e-5));
    const double level = tensor[(c * 64 + 16) * 64] * spec.std[c] + spec.mean[c];
    CHECK(std::fabs(level - grey_level(image, c, 0, 0, 64, 32)) <= 1.0);
  }
}

TEST_CASE("a preprocessor follows images of changing sizes and formats") {
  const InputSpec spec = input(64, 32);
  Preprocessor preprocessor(spec);
  std::vector<float> tensor(3 * 64 * 32);
  for (const int width : {10, 200, 10, 64}) {
    const Colours image(width, 20, 7);
    preprocessor.run(check_image(view_of(image)), InputView::planes(tensor.data(), 64 * 32));
    CHECK(tensor == prepared(view_of(image), spec));
  }
}

TEST_CASE("levels are what planes hold before they are normalised") {
  InputSpec spec = input(64, 32);
  const int width = spec.width, height = spec.height, row = 3 * width + 21;
  Preprocessor preprocessor(spec);
  for (const Resize resize : {Resize::stretch, Resize::letterbox}) {
    spec.resize = resize, spec.pad_value = 114;
    preprocessor = Preprocessor(spec);
    for (const int from : {1, 2, 7, 64, 128, 201}) {
      const Colours image(from, 45, 11);
      for (const PixelFormat format : {PixelFormat::bgr, PixelFormat::rgb, PixelFormat::gray}) {
        ImageView view = view_of(image);
        view.format = format;
        const std::vector<float> planes = prepared(view, spec);
        std::vector<float> floats(static_cast<std::size_t>(row * height), -1);
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(row * height), 7);
        using Form = InputView::Form;
        preprocessor.run(check_image(view), {floats.data(), static_cast<std::size_t>(row), Form::float_levels});
        preprocessor.run(check_image(view), {bytes.data(), static_cast<std::size_t>(row), Form::byte_levels});
        std::vector<float> converted(floats.size(), -1);
        convert_planes(planes.data(), spec,
                       {converted.data(), static_cast<std::size_t>(row), InputView::Form::float_levels});
        int wrong = 0;
        for (std::size_t i = 0; i < floats.size(); ++i) {
          const bool is_picture = i % static_cast<std::size_t>(row) < static_cast<std::size_t>(3 * width);
          wrong += std::fabs(converted[i] - floats[i]) > 1e-3;
          wrong += is_picture ? floats[i] != bytes[i] : bytes[i] != 7;
        }
        CHECK(wrong == 0);
      }
    }
  }
}
