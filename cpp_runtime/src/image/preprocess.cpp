#include "image/preprocess.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace nanoedge {
namespace {

constexpr int kWeightBits = 11;
constexpr int kWeightOne = 1 << kWeightBits;

// One source row, resized to `width` pixels whose channels lie `plane` values apart and which lie `pixel` apart.
template <int channels>
void resize_row(const std::uint8_t* row, const int* first, const int* second, const std::int16_t* first_weight,
                const std::int16_t* second_weight, const RowLayout& layout, int from, int width, std::int16_t* line,
                std::ptrdiff_t plane, std::ptrdiff_t pixel) {
  const std::uint8_t* row_blue = row + layout.blue;
  const std::uint8_t* row_green = row + layout.green;
  const std::uint8_t* row_red = row + layout.red;
  for (int x = from; x < width; ++x) {
    const int a = first[x], b = second[x], weight_a = first_weight[x], weight_b = second_weight[x];
    std::int16_t* out = line + x * pixel;
    out[0] = static_cast<std::int16_t>((row_blue[a] * weight_a + row_blue[b] * weight_b) >> 4);
    if constexpr (channels > 1) {
      out[plane] = static_cast<std::int16_t>((row_green[a] * weight_a + row_green[b] * weight_b) >> 4);
      out[2 * plane] = static_cast<std::int16_t>((row_red[a] * weight_a + row_red[b] * weight_b) >> 4);
    }
  }
}

#if defined(__SSE2__)
// The same for pixels of three channels in the order blue, green, red, as far as whole vectors may be read and written;
// says where it ended.
int resize_pixels(const std::uint8_t* row, std::size_t bytes, const int* first, const int* second,
                  const std::int16_t* first_weight, const std::int16_t* second_weight, int width, std::int16_t* line) {
  const __m128i zero = _mm_setzero_si128();
  const auto pixel_at = [&](int x) {
    std::uint32_t a, b;
    std::memcpy(&a, row + first[x], sizeof a);
    std::memcpy(&b, row + second[x], sizeof b);
    const std::uint32_t weights = static_cast<std::uint16_t>(first_weight[x]) |
                                  static_cast<std::uint32_t>(static_cast<std::uint16_t>(second_weight[x])) << 16;
    const __m128i pairs = _mm_unpacklo_epi8(
        _mm_unpacklo_epi8(_mm_cvtsi32_si128(static_cast<int>(a)), _mm_cvtsi32_si128(static_cast<int>(b))), zero);
    return _mm_srai_epi32(_mm_madd_epi16(pairs, _mm_set1_epi32(static_cast<int>(weights))), 4);
  };
  int x = 0;
  for (; x + 3 < width && static_cast<std::size_t>(second[x + 1]) + 4 <= bytes; x += 2) {
    const __m128i both = _mm_packs_epi32(pixel_at(x), pixel_at(x + 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(line + 3 * x), both);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(line + 3 * x + 3), _mm_unpackhi_epi64(both, both));
  }
  return x;
}
#endif

// The blend of two lines, rounded to a grey level.
inline std::int16_t level_of(std::int16_t upper, std::int16_t lower, std::int16_t upper_weight,
                             std::int16_t lower_weight) {
  const auto above = static_cast<std::int16_t>((upper * upper_weight) >> 16);
  const auto below = static_cast<std::int16_t>((lower * lower_weight) >> 16);
  return static_cast<std::int16_t>(static_cast<std::int16_t>(above + below + 2) >> 2);
}

template <class T>
void blend_rows(const std::int16_t* __restrict upper, const std::int16_t* __restrict lower, std::int16_t upper_weight,
                std::int16_t lower_weight, int count, T* __restrict out) {
  for (int i = 0; i < count; ++i) out[i] = static_cast<T>(level_of(upper[i], lower[i], upper_weight, lower_weight));
}

void blend_normalised(const std::int16_t* __restrict upper, const std::int16_t* __restrict lower,
                      std::int16_t upper_weight, std::int16_t lower_weight, float factor, float shift, int width,
                      float* __restrict out) {
  for (int x = 0; x < width; ++x) {
    out[x] = static_cast<float>(level_of(upper[x], lower[x], upper_weight, lower_weight)) * factor + shift;
  }
}

// Fills what lies outside a rectangle of rows of `width` pixels, `values` values each.
template <class T>
void fill_around(T* data, std::size_t row, int values, int width, int height, const PlacedSize& placed, T value) {
  const int bottom = placed.top + placed.height, right = placed.left + placed.width;
  for (int y = 0; y < height; ++y) {
    T* line = data + static_cast<std::size_t>(y) * row;
    const bool outside = y < placed.top || y >= bottom;
    std::fill(line, line + (outside ? width : placed.left) * values, value);
    if (!outside) std::fill(line + right * values, line + width * values, value);
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

void Preprocessor::prepare(const Planes& image, bool in_planes) {
  line_of_[0] = line_of_[1] = -1;
  in_planes_ = in_planes;
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
  const int* first = columns_.first.data();
  const int* second = columns_.second.data();
  const std::int16_t* first_weight = columns_.first_weight.data();
  const std::int16_t* second_weight = columns_.second_weight.data();
  const int width = placed_.width;
  int from = 0;
#if defined(__SSE2__)
  const bool in_order = layout_.blue == 0 && layout_.green == 1 && layout_.red == 2;
  if (!in_planes_ && layout_.channels >= 3 && in_order) {
    const std::size_t bytes = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(layout_.channels);
    from = resize_pixels(row, bytes, first, second, first_weight, second_weight, width, line);
  }
#endif
  const std::ptrdiff_t plane = in_planes_ ? width : 1, pixel = in_planes_ ? 1 : 3;
  const auto resize = layout_.channels == 1 ? resize_row<1> : resize_row<3>;
  resize(row, first, second, first_weight, second_weight, layout_, from, width, line, plane, pixel);
  if (!in_planes_ && layout_.channels == 1) {
    for (int x = 0; x < width; ++x) line[3 * x + 1] = line[3 * x + 2] = line[3 * x];
  }
  return line;
}

void Preprocessor::pad(const InputView& input) const {
  if (placed_.width == spec_.width && placed_.height == spec_.height) return;
  const int width = spec_.width, height = spec_.height;
  if (input.form == InputView::Form::planes) {
    for (int c = 0; c < 3; ++c) {
      fill_around(static_cast<float*>(input.data) + static_cast<std::size_t>(c) * input.step,
                  static_cast<std::size_t>(width), 1, width, height, placed_,
                  static_cast<float>(spec_.pad_value) * factor_[c] + shift_[c]);
    }
  } else if (input.form == InputView::Form::float_levels) {
    fill_around(static_cast<float*>(input.data), input.step, 3, width, height, placed_,
                static_cast<float>(spec_.pad_value));
  } else {
    fill_around(static_cast<std::uint8_t*>(input.data), input.step, 3, width, height, placed_,
                static_cast<std::uint8_t>(spec_.pad_value));
  }
}

void Preprocessor::blend(const std::int16_t* upper, const std::int16_t* lower, int y, const InputView& input) const {
  const std::int16_t upper_weight = rows_.first_weight[y], lower_weight = rows_.second_weight[y];
  const int width = placed_.width;
  const auto row = static_cast<std::size_t>(placed_.top + y);
  if (input.form == InputView::Form::planes) {
    for (std::size_t c = 0; c < 3; ++c) {
      const std::size_t line = layout_.channels == 1 ? 0 : c * static_cast<std::size_t>(width);
      float* out =
          static_cast<float*>(input.data) + c * input.step + row * static_cast<std::size_t>(spec_.width) + placed_.left;
      blend_normalised(upper + line, lower + line, upper_weight, lower_weight, factor_[c], shift_[c], width, out);
    }
    return;
  }
  const std::size_t place = row * input.step + 3 * static_cast<std::size_t>(placed_.left);
  if (input.form == InputView::Form::float_levels) {
    blend_rows(upper, lower, upper_weight, lower_weight, 3 * width, static_cast<float*>(input.data) + place);
  } else {
    blend_rows(upper, lower, upper_weight, lower_weight, 3 * width, static_cast<std::uint8_t*>(input.data) + place);
  }
}

Placement Preprocessor::run(const Planes& image, const InputView& input) {
  prepare(image, input.form == InputView::Form::planes);
  pad(input);
  for (int y = 0; y < placed_.height; ++y) {
    const std::int16_t* upper = resized_row(image, rows_.first[y]);
    const std::int16_t* lower = resized_row(image, rows_.second[y]);
    blend(upper, lower, y, input);
  }
  return placed_.placement;
}

void convert_planes(const float* planes, const InputSpec& spec, const InputView& to) {
  const auto width = static_cast<std::size_t>(spec.width), height = static_cast<std::size_t>(spec.height);
  for (std::size_t c = 0; c < 3; ++c) {
    const float* plane = planes + c * width * height;
    if (to.form == InputView::Form::planes) {
      std::memcpy(static_cast<float*>(to.data) + c * to.step, plane, width * height * sizeof(float));
      continue;
    }
    const float std = spec.std[c], mean = spec.mean[c];
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t x = 0; x < width; ++x) {
        const float level = plane[y * width + x] * std + mean;
        const std::size_t place = y * to.step + 3 * x + c;
        if (to.form == InputView::Form::float_levels) {
          static_cast<float*>(to.data)[place] = level;
        } else {
          const float whole = std::clamp(std::nearbyint(level), 0.F, 255.F);
          static_cast<std::uint8_t*>(to.data)[place] = static_cast<std::uint8_t>(whole);
        }
      }
    }
  }
}

}  // namespace nanoedge
