#include "drawing.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "font.hpp"

namespace nanoedge::apps {
namespace {

using Colour = std::array<std::uint8_t, 3>;  // B, G, R

// Steps of the golden ratio on the circle of hues keep neighbouring classes apart.
Colour colour_of(int class_id) {
  const double hue = std::fmod(0.08 + class_id * 0.6180339887498949, 1.0) * 6;
  Colour colour{};
  const double shifts[3] = {2, 4, 0};  // of B, G, R
  for (std::size_t i = 0; i < 3; ++i) {
    const double place = std::fmod(hue + shifts[i], 6);
    const double level = std::clamp(std::fabs(place - 3) - 1, 0.0, 1.0);
    colour[i] = static_cast<std::uint8_t>(std::lround(255 * (0.15 + 0.85 * level)));
  }
  return colour;
}

void fill(Picture& picture, int left, int top, int right, int bottom, const Colour& colour) {
  left = std::max(left, 0), top = std::max(top, 0);
  right = std::min(right, picture.width), bottom = std::min(bottom, picture.height);
  for (int y = top; y < bottom; ++y) {
    for (int x = left; x < right; ++x) std::copy(colour.begin(), colour.end(), picture.at(x, y));
  }
}

void write(Picture& picture, const std::string& text, int left, int top, int scale, const Colour& colour) {
  for (const char letter : text) {
    if (const Glyph* glyph = glyph_of(letter)) {
      for (int row = 0; row < kGlyphHeight; ++row) {
        for (int column = 0; column < kGlyphWidth; ++column) {
          if ((glyph->rows[static_cast<std::size_t>(row)] >> (kGlyphWidth - 1 - column) & 1) == 0) continue;
          const int x = left + column * scale, y = top + row * scale;
          fill(picture, x, y, x + scale, y + scale, colour);
        }
      }
    }
    left += (kGlyphWidth + 1) * scale;
  }
}

void draw_one(Picture& picture, const Detection& box, const std::string& name) {
  const int shorter = std::min(picture.width, picture.height);
  const int line = std::max(1, shorter / 240), scale = std::max(1, shorter / 400);
  const Colour colour = colour_of(box.class_id);
  const int left = static_cast<int>(std::floor(box.x1)), top = static_cast<int>(std::floor(box.y1));
  const int right = static_cast<int>(std::ceil(box.x2)), bottom = static_cast<int>(std::ceil(box.y2));
  fill(picture, left, top, right, top + line, colour);
  fill(picture, left, bottom - line, right, bottom, colour);
  fill(picture, left, top, left + line, bottom, colour);
  fill(picture, right - line, top, right, bottom, colour);

  char score[16];
  std::snprintf(score, sizeof score, " %.2f", static_cast<double>(box.score));
  const std::string text = name + score;
  const int width = (static_cast<int>(text.size()) * (kGlyphWidth + 1) + 1) * scale,
            height = (kGlyphHeight + 4) * scale;
  const int label_left = std::clamp(left, 0, std::max(0, picture.width - width));
  const int label_top = top >= height ? top - height : top;
  fill(picture, label_left, label_top, label_left + width, label_top + height, colour);
  const double luma = 0.114 * colour[0] + 0.587 * colour[1] + 0.299 * colour[2];
  const auto level = static_cast<std::uint8_t>(luma > 120 ? 0 : 255);
  write(picture, text, label_left + scale, label_top + 2 * scale, scale, {level, level, level});
}

}  // namespace

void draw(Picture& picture, const std::vector<Detection>& found, const std::vector<std::string>& classes) {
  for (auto box = found.rbegin(); box != found.rend(); ++box) {
    draw_one(picture, *box, classes[static_cast<std::size_t>(box->class_id)]);
  }
}

}  // namespace nanoedge::apps
