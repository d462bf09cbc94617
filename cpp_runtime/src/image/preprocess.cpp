#include "image/preprocess.hpp"

#include <algorithm>
#include <cmath>

namespace nanoedge {
namespace {

constexpr int kWeightBits = 11;
constexpr int kWeightOne = 1 << kWeightBits;

template <int channels>
void resize_row(const std::uint8_t* row, const int* first, const int* second, const std::int16_t* first_weight,
                const std::int16_t* second_weight, const RowLayout& layout, int width, std::int16_t* line) {
  std::int16_t* blue = line;
  std::int16_t* green = line + width;
  std::int16_t* red = green + width;
  const std::uint8_t* row_blue = row + layout.blue;
  const std::uint8_t* row_green = row + layout.green;
  const std::uint8_t* row_red = row + layout.red;
  for (int x = 0; x < width; ++x) {
    const int a = first[x], b = second[x], weight_a = first_weight[x], weight_b = second_weight[x];
    blue[x] = static_cast<std::int16_t>((row_blue[a] * weight_a + row_blue[b] * weight_b) >> 4);
    if constexpr (channels > 1) {
      green[x] = static_cast<std::int16_t>((row_green[a] * weight_a + row_green[b] * weight_b) >> 4);
      red[x] = static_cast<std::int16_t>((row_red[a] * weight_a + row_red[b] * weight_b) >> 4);
    }
  }
}

// The blend of two lines, rounded to a grey level, then normalised.
void blend_rows(const std::int16_t* __restrict upper, const std::int16_t* __restrict lower, std::int16_t upper_weight,
                std::int16_t lower_weight, float factor, float shift, int width, float* __restrict out) {
  for (int x = 0; x < width; ++x) {
    const auto above = static_cast<std::int16_t>((upper[x] * upper_weight) >> 16);
    const auto below = static_cast<std::int16_t>((lower[x] * lower_weight) >> 16);
    const auto level = static_cast<std::int16_t>(static_cast<std::int16_t>(above + below + 2) >> 2);
    out[x] = static_cast<float>(level) * factor + shift;
  }
}

}  // namespace

PlacedSize place_image(int width, int height, const InputSpec& spec) {
  PlacedSize placed;
  placed.width = spec.width, placed.height = spec.height;
  if (spec.resize == Resize::letterbox) {
    const double scale = std::min(double(spec.width) / width, double(spec.height) / height);
    // nearbyint rounds halves to even, as Python's round does.
    placed.width = std::min(spec.width, std::max(1, int(std::nearbyint(width * scale))));
    placed.height = std::min(spec.height, std::max(1, int(std::nearbyint(height * scale))));
    placed.left = (spec.width - placed.width) / 2;
    placed.top = (spec.height - placed.height) / 2;
  }
  placed.placement = {static_cast<float>(double(placed.width) / width),
                      static_cast<float>(double(placed.height) / height),
                      static_cast<float>(placed.left),
                      static_cast<float>(placed.top),
                      width,
                      height};
  return placed;
}

void Preprocessor::Axis::prepare(int from, int to, int step) {
  first.resize(to), second.resize(to), first_weight.resize(to), second_weight.resize(to);
  const double scale = double(from) / to;
  for (int i = 0; i < to; ++i) {
    auto at = static_cast<float>((i + 0.5) * scale - 0.5);
    int low = static_cast<int>(std::floor(at));
    at -= static_cast<float>(low);
    if (low < 0) low = 0, at = 0;
    if (low >= from - 1) low = from - 1, at = 0;
    first[i] = low * step;
    second[i] = std::min(low + 1, from - 1) * step;
    first_weight[i] = static_cast<std::int16_t>(std::nearbyint((1.F - at) * kWeightOne));
    second_weight[i] = static_cast<std::int16_t>(std::nearbyint(at * kWeightOne));
  }
}

Preprocessor::Preprocessor(const InputSpec& spec) : spec_(spec) {
  for (int c = 0; c < 3; ++c) {
    factor_[c] = 1.F / spec.std[c];
    shift_[c] = -spec.mean[c] / spec.std[c];
  }
}

void Preprocessor::prepare(const Planes& image) {
  line_of_[0] = line_of_[1] = -1;
  if (image.width == width_ && image.height == height_ && image.format == format_) return;
  reader_.prepare(image.format, image.width);
  layout_ = layout_of(image.format);
  placed_ = place_image(image.width, image.height, spec_);
  columns_.prepare(image.width, placed_.width, layout_.channels);
  rows_.prepare(image.height, placed_.height, 1);
  for (auto& line : lines_) line.resize(3 * static_cast<std::size_t>(placed_.width));
  width_ = image.width, height_ = image.height, format_ = image.format;
}

const std::int16_t* Preprocessor::resized_row(const Planes& image, int y) {
  for (int i = 0; i < 2; ++i) {
    if (line_of_[i] == y) {
      next_line_ = 1 - i;
      return lines_[i].data();
    }
  }
  const int place = next_line_;
  next_line_ = 1 - place;
  line_of_[place] = y;
  std::int16_t* line = lines_[place].data();
  const std::uint8_t* row = reader_.row(image, y);
  const auto resize = layout_.channels == 1 ? resize_row<1> : layout_.channels == 3 ? resize_row<3> : resize_row<4>;
  resize(row, columns_.first.data(), columns_.second.data(), columns_.first_weight.data(),
         columns_.second_weight.data(), layout_, placed_.width, line);
  return line;
}

void Preprocessor::pad(const PlanarView& input) const {
  if (placed_.width == spec_.width && placed_.height == spec_.height) return;
  const int bottom = placed_.top + placed_.height, right = placed_.left + placed_.width;
  for (int c = 0; c < 3; ++c) {
    const float value = static_cast<float>(spec_.pad_value) * factor_[c] + shift_[c];
    for (int y = 0; y < spec_.height; ++y) {
      float* row = input.data + c * input.plane + static_cast<std::size_t>(y) * spec_.width;
      if (y < placed_.top || y >= bottom) {
        std::fill(row, row + spec_.width, value);
      } else {
        std::fill(row, row + placed_.left, value);
        std::fill(row + right, row + spec_.width, value);
      }
    }
  }
}

Placement Preprocessor::run(const Planes& image, const PlanarView& input) {
  prepare(image);
  pad(input);
  const bool grey = layout_.channels == 1;
  for (int y = 0; y < placed_.height; ++y) {
    const std::int16_t* upper = resized_row(image, rows_.first[y]);
    const std::int16_t* lower = resized_row(image, rows_.second[y]);
    for (int c = 0; c < 3; ++c) {
      const std::size_t plane = grey ? 0 : static_cast<std::size_t>(c) * placed_.width;
      float* out =
          input.data + c * input.plane + static_cast<std::size_t>(placed_.top + y) * spec_.width + placed_.left;
      blend_rows(upper + plane, lower + plane, rows_.first_weight[y], rows_.second_weight[y], factor_[c], shift_[c],
                 placed_.width, out);
    }
  }
  return placed_.placement;
}

}  // namespace nanoedge
