// A font of 5 x 7 pixels for labels: capital letters, digits and a few signs.
#pragma once

#include <array>
#include <cstdint>

namespace nanoedge::apps {

inline constexpr int kGlyphWidth = 5, kGlyphHeight = 7;

struct Glyph {
  char letter;
  std::array<std::uint8_t, kGlyphHeight> rows;
};

// The letter's pixels; null for a space, a question mark for what the font does not have.
const Glyph* glyph_of(char letter);

}  // namespace nanoedge::apps
