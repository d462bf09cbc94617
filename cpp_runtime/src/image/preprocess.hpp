// From an image to the network's input: resize, colour order and normalisation in one pass over the rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bundle/manifest.hpp"
#include "image/rows.hpp"
#include "nanoedge/detector.hpp"

namespace nanoedge {

// Where the network's input lies: normalised values in three planes, or grey levels 0 to 255 with the channels of a
// pixel beside each other, for networks that have the normalisation in their weights.
struct InputView {
  enum class Form : std::uint8_t { planes, float_levels, byte_levels };
  void* data = nullptr;
  std::size_t step = 0;  // in values: from one plane to the next, or from one row of levels to the next
  Form form = Form::planes;

  static InputView planes(float* data, std::size_t plane) { return {data, plane, Form::planes}; }
};

// Writes normalised planes [3, height, width] in another form: levels are what they were before they were normalised.
void convert_planes(const float* planes, const InputSpec& spec, const InputView& to);

// How an image of this size is placed in the input, and the size that it is resized to.
struct PlacedSize {
  Placement placement;
  int width = 0, height = 0;  // of the resized image
  int left = 0, top = 0;      // where it lies in the input
};
PlacedSize place_image(int width, int height, const InputSpec& spec);

// Bilinear with half-pixel centres in 11-bit fixed point, rounded to whole grey levels as 8-bit resizing does.
class Preprocessor {
 public:
  explicit Preprocessor(const InputSpec& spec);

  // Fills `input` and says where the image lies in it. Allocates only when the image's size or format is a new one.
  Placement run(const Planes& image, const InputView& input);

 private:
  // One axis of the resize: source indices and weights (0..2048) of each output coordinate.
  struct Axis {
    std::vector<int> first, second;
    std::vector<std::int16_t> first_weight, second_weight;
    void prepare(int from, int to, int step);
  };

  void prepare(const Planes& image, bool in_planes);
  const std::int16_t* resized_row(const Planes& image, int y);
  void pad(const InputView& input) const;
  void blend(const std::int16_t* upper, const std::int16_t* lower, int y, const InputView& input) const;

  InputSpec spec_;
  float factor_[3], shift_[3];
  RowReader reader_;
  PlacedSize placed_;
  RowLayout layout_;
  int width_ = 0, height_ = 0;
  PixelFormat format_ = PixelFormat::bgr;
  bool in_planes_ = true;
  Axis columns_, rows_;
  // The two horizontally resized source rows in use and which rows they are: int16, pixels of three channels, or three
  // planes for an input in planes.
  std::vector<std::int16_t> lines_[2];
  int line_of_[2] = {-1, -1};
  int next_line_ = 0;
};

}  // namespace nanoedge
