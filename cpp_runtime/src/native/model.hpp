// The file of a compiled network: docs/native_format.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "bundle/bundle.hpp"
#include "native/kernels/step.hpp"

namespace nanoedge::native {

// A map as the file describes it.
struct Value {
  std::uint64_t offset = 0;  // of its first pixel inside the border, bytes from the arena's begin
  int channels = 0, height = 0, width = 0;
  std::int64_t pixel = 0, row = 0;  // values from one pixel, one row to the next
  Element element = Element::f32;
  float scale = 1;
  int zero_point = 0;
  int border_top = 0, border_left = 0, border_bottom = 0, border_right = 0;
  // Of each channel, whose values are to be multiplied by 2 ** (-exponent / 8); empty: they all are as they are.
  // Nothing here calculates with them.
  std::vector<std::uint8_t> exponents;
  std::string name;
};

enum class Stored : std::uint8_t { f32, f16, s8 };

struct Operation {
  Kind kind = Kind::copy;
  Activation activation = Activation::none;
  int kernel = 0, stride = 1, top = 0, left = 0, bottom = 0, right = 0;
  float slope = 0;
  int room = 0;
  int input = -1, input2 = -1, output = -1;  // numbers of values; -1: none
  Stored stored = Stored::f32;
  std::uint64_t weights = 0, bias = 0, multiplier = 0;  // offsets in the file; 0: none
  float scalars[6] = {};
  std::string name;

  bool has_weights() const { return kind == Kind::convolution || kind == Kind::depthwise; }
};

// All of it, checked: every number is one that the kernels can be given.
struct Model {
  std::uint64_t arena = 0;  // bytes
  int input = 0;            // number of the picture's value
  std::array<float, 3> input_border{};
  int priors = 0, channels = 0;
  std::uint64_t output = 0;     // offset of the output's first row in the arena, bytes
  std::int64_t output_row = 0;  // floats from one row to the next
  std::vector<Value> values;
  std::vector<Operation> operations;
};

// Reads and checks a file. Throws Error (bundle) that names `place`, for anything that is not a whole network of this
// version for this manifest's input and output.
Model read_model(const Bytes& bytes, const Manifest& manifest, const std::string& place);

// CRC-32 of a file, as its header holds it: of everything behind it.
std::uint32_t checksum_of(const Bytes& bytes);

// Number of weights that an operation has.
std::size_t weight_count(const Model& model, const Operation& operation);

}  // namespace nanoedge::native
