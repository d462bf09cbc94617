// Every kernel of every instruction set that this CPU has, on the shapes of the shipped networks and on awkward ones,
// against the scalar ones: bytes to the last bit, floats to 1e-5 of the largest, 16 bits to a hundredth.
#include <catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "native/half.hpp"
#include "native/kernels/choose.hpp"

using namespace nanoedge::native;

namespace {

constexpr std::size_t kMargin = 1024;

// Weights: small ones; of 127 and those beside it, as large as export/int8/native/weights.py makes them together;
// larger.
enum class Weights { small, largest, too_large };

struct Case {
  Kind kind;
  int channels, height, width, outputs;
  int kernel, stride;
  Activation activation;
  bool tight;                        // nothing beyond the last channel may be written
  bool float_output;                 // of bytes
  Weights weights = Weights::small;  // the others with the largest and smallest bytes
  bool apart = false;                // pixels with a border do not lie behind each other
};

std::string name_of(const Case& c) {
  return "kind " + std::to_string(static_cast<int>(c.kind)) + ", " + std::to_string(c.channels) + "x" +
         std::to_string(c.height) + "x" + std::to_string(c.width) + " to " + std::to_string(c.outputs) + ", kernel " +
         std::to_string(c.kernel) + ", stride " + std::to_string(c.stride) + ", activation " +
         std::to_string(static_cast<int>(c.activation)) + (c.tight ? ", tight" : "") +
         (c.float_output ? ", floats" : "") + (c.weights == Weights::small ? "" : ", extreme") +
         (c.apart ? ", pixels apart" : "");
}

std::size_t size_of(Element element) {
  return element == Element::f32 ? 4 : element == Element::u8 ? 1 : 2;
}

// The nearest number that has 8 bits, 0 for what half precision has fewer bits for: one that all elements can hold.
float rounded(float value) {
  if (std::fabs(value) < 0x1p-14F) return 0;
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits = (bits + 0x7FFFU + ((bits >> 16) & 1U)) & 0xFFFF0000U;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Of a number that `rounded` gives, or nearly so.
std::uint16_t stored_in_16_bits(float value, Element element) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if (element == Element::bf16) return static_cast<std::uint16_t>(bits >> 16);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU, least = 113U << 23;
  return static_cast<std::uint16_t>((bits >> 31) << 15 | (magnitude < least ? 0 : (magnitude - (112U << 23)) >> 13));
}

float value_of(const char* stored, Element element) {
  float value;
  if (element == Element::f32) {
    std::memcpy(&value, stored, sizeof value);
    return value;
  }
  std::uint16_t half;
  std::memcpy(&half, stored, sizeof half);
  if (element == Element::f16) return float_of_half(half);
  const std::uint32_t bits = std::uint32_t{half} << 16;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// A map in memory of its own, with a border, padded pixels and values on all sides.
struct Memory {
  std::vector<char> bytes;
  Map map;

  // `in_8_bits`: floats that 16 bits hold too. `extreme`: only the smallest and the largest bytes.
  Memory(int channels, int height, int width, Element element, bool in_8_bits, int border, bool extreme,
         std::mt19937& random, bool apart = true) {
    const std::ptrdiff_t pixel = border > 0 && !apart ? channels : (channels + 15) / 16 * 16 + 16;
    map.channels = channels, map.height = height, map.width = width;
    map.pixel = pixel, map.row = pixel * (width + 2 * border);
    map.element = element, map.zero_point = 37;
    map.border_top = map.border_left = map.border_bottom = map.border_right = border;
    const std::size_t size = size_of(element), count = static_cast<std::size_t>(map.row * (height + 2 * border));
    bytes.assign(size * count + 2 * kMargin, 0x3F);
    map.data = bytes.data() + kMargin + static_cast<std::ptrdiff_t>(size) * (border * map.row + border * pixel);
    std::uniform_real_distribution<float> values(-2, 2);
    char* to = bytes.data() + kMargin;
    for (std::size_t i = 0; i < count; ++i, to += size) {
      if (element == Element::u8) {
        *to = static_cast<char>(extreme ? 255 * (random() % 2) : random());
        continue;
      }
      const float value = in_8_bits ? rounded(values(random)) : values(random);
      const std::uint16_t half = stored_in_16_bits(value, element);
      std::memcpy(to, size == 2 ? static_cast<const void*>(&half) : &value, size);
    }
  }
};

// 127 beside 1 below each other in a depth-wise filter. Of eight inputs of a 1x1 convolution, 127 and 1 of one sign and
// as much of the other in 0, 1, 4, 5 and in 2, 3, 6, 7; or 127 beside 1 or -127 (of larger filters, of any sign), which
// only two products hold.
void make_extreme(std::vector<char>& weights, const Case& c, std::mt19937& random) {
  const auto size = static_cast<std::size_t>(c.kernel), inputs = static_cast<std::size_t>(c.channels);
  int sign = 1;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t input = i / (size * size) % inputs;
    const bool is_first = (c.kind == Kind::depthwise ? i / size % size : input) % 2 == 0;
    if (c.kind == Kind::depthwise) {
      weights[i] = static_cast<char>(is_first ? 127 : 1);
    } else if (c.weights == Weights::largest) {
      if (input % 8 == 0) sign = random() % 2 ? 1 : -1;
      weights[i] = static_cast<char>((is_first ? 127 : 1) * (input % 8 < 4 ? sign : -sign));
    } else if (is_first) {
      sign = random() % 2 ? 1 : -1;
      weights[i] = static_cast<char>(127 * sign);
    } else {
      weights[i] = static_cast<char>(random() % 2 ? sign : c.kernel > 1 ? -sign : -127 * sign);
    }
  }
}

// What goes into a kernel and what comes out.
struct Elements {
  Element in, out;
  bool in_8_bits = false;
};
constexpr Elements kFloats{Element::f32, Element::f32};

// What one table makes of a case, 16 bits as floats; the same values for every table.
std::vector<char> result(const Case& c, const KernelTable& table, const Elements& elements, unsigned seed) {
  const Element element = elements.in;
  std::mt19937 random(seed);
  const bool is_convolution = c.kind == Kind::convolution;
  const int pad = c.kernel / 2, border = is_convolution && c.kernel > 1 ? pad : 0;
  const bool is_bytes = element == Element::u8, is_gate = c.kind == Kind::gate;
  const bool floats_of_bytes = is_bytes && (c.float_output || c.kind == Kind::global_average);
  const Element element_out = floats_of_bytes ? Element::f32 : elements.out;
  const bool is_extreme = c.weights != Weights::small;
  Memory in(c.channels, c.height, c.width, element, elements.in_8_bits, border, is_extreme, random, c.apart);
  Memory in2(c.channels, is_gate ? 1 : c.height, is_gate ? 1 : c.width, is_gate && is_bytes ? Element::f32 : element,
             elements.in_8_bits, 0, is_extreme, random);
  int height = (c.height + 2 * pad - c.kernel) / c.stride + 1, width = (c.width + 2 * pad - c.kernel) / c.stride + 1;
  if (c.kind == Kind::upsample_bilinear || c.kind == Kind::upsample_nearest) height = 2 * c.height, width = 2 * c.width;
  if (c.kind == Kind::global_average) height = width = 1;
  std::mt19937 others(seed);
  Memory out(c.outputs, height, width, element_out, elements.in_8_bits, 0, false, others);
  Step step;
  step.kind = c.kind, step.activation = c.activation, step.slope = 0.1F;
  step.in = in.map, step.in2 = in2.map, step.out = out.map;
  step.kernel = c.kernel, step.stride = c.stride, step.top = step.left = pad;
  step.room = c.tight ? c.outputs : static_cast<int>(out.map.pixel);
  const float scalars[6] = {31, c.activation == Activation::leaky_relu ? 27.9F : 150, 0.02F, 0.71F, 0.43F, 11};
  std::copy_n(scalars, 6, step.scalars);

  const Kernel& kernel = table.kernel(c.kind, element, element_out);
  REQUIRE(kernel.run != nullptr);
  const auto count = static_cast<std::size_t>(c.outputs) * static_cast<std::size_t>(c.kernel * c.kernel) *
                     static_cast<std::size_t>(is_convolution ? c.channels : 1);
  std::vector<char> packed, bytes(std::max<std::size_t>(count, 256));
  std::vector<float> floats(count);
  std::uniform_real_distribution<float> small(-0.3F, 0.3F);
  for (float& weight : floats) weight = small(random);
  // Sums stay within what export/int8/native/weights.py allows.
  for (char& byte : bytes) byte = static_cast<char>(static_cast<int>(random() % 65) - 32);
  if (is_extreme) make_extreme(bytes, c, random);
  const auto places = static_cast<std::size_t>(c.outputs) + kWidestBlock;
  std::vector<float> bias(places), multiplier(places);
  std::vector<std::int32_t> start(places);
  std::vector<float> plain_bias(places), plain_multiplier(places);
  std::vector<std::int32_t> plain_start(places);
  for (std::size_t i = 0; i < static_cast<std::size_t>(c.outputs); ++i) {
    plain_bias[i] = is_bytes ? 40 * small(random) + 60 : small(random);
    plain_multiplier[i] = 0.004F + 0.004F * small(random);
    plain_start[i] = static_cast<std::int32_t>(random() % 2000) - 1000;
  }
  for (std::size_t place = 0; place < places; ++place) {
    const int channel = kernel.channel_at ? kernel.channel_at(step, static_cast<int>(place)) : static_cast<int>(place);
    if (channel >= c.outputs) continue;
    bias[place] = plain_bias[static_cast<std::size_t>(channel)];
    multiplier[place] = plain_multiplier[static_cast<std::size_t>(channel)];
    start[place] = plain_start[static_cast<std::size_t>(channel)];
  }
  step.bias = bias.data(), step.multiplier = multiplier.data(), step.start = start.data();
  step.weights = bytes.data();
  if (kernel.pack != nullptr) {
    packed.resize(kernel.packed_size(step) + 64);
    kernel.pack(step, is_bytes ? static_cast<const void*>(bytes.data()) : floats.data(), packed.data());
    step.weights = packed.data();
  }
  std::vector<char> scratch(kernel.scratch_size != nullptr ? kernel.scratch_size(step) + 64 : 0);
  const std::vector<char> before = out.bytes;
  const int items = kernel.items(step), middle = items / 2;
  kernel.run(step, middle, items, scratch.data());  // as threads share it
  kernel.run(step, 0, middle, scratch.data());

  // What lies outside the room is as it was.
  const auto size = static_cast<std::ptrdiff_t>(size_of(element_out));
  std::vector<bool> mine(out.bytes.size());
  std::vector<char> values;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const char* pixel = static_cast<char*>(out.map.data) + size * (y * out.map.row + x * out.map.pixel);
      for (int c_out = 0; c_out < c.outputs; ++c_out) {
        const char* at = pixel + size * c_out;
        if (element_out == Element::u8) {
          values.push_back(*at);
          continue;
        }
        const float value = value_of(at, element_out);
        const char* bytes_of_value = reinterpret_cast<const char*>(&value);
        values.insert(values.end(), bytes_of_value, bytes_of_value + sizeof value);
      }
      std::fill_n(mine.begin() + (pixel - out.bytes.data()), size * step.room, true);
    }
  }
  std::size_t spilled = 0;
  for (std::size_t i = 0; i < mine.size(); ++i) spilled += !mine[i] && out.bytes[i] != before[i];
  CHECK(spilled == 0);
  return values;
}

// The largest difference of two lists of floats, as a share of the largest value.
double difference(const std::vector<char>& found, const std::vector<char>& expected) {
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < expected.size(); i += 4) {
    float one, other;
    std::memcpy(&one, found.data() + i, 4);
    std::memcpy(&other, expected.data() + i, 4);
    worst = std::max<double>(worst, std::fabs(one - other));
    largest = std::max<double>(largest, std::fabs(other));
  }
  return largest > 0 ? worst / largest : worst;
}

void compare(const Case& c, unsigned seed) {
  INFO(name_of(c));
  const KernelTable& scalar = kernel_tables().back();
  if (!c.float_output) {
    const std::vector<char> expected = result(c, scalar, kFloats, seed);
    const std::vector<char> of_8_bits = result(c, scalar, {Element::f32, Element::f32, true}, seed);
    for (const KernelTable& table : kernel_tables()) {
      if (!table.is_usable()) continue;
      INFO(table.name << " f32");
      CHECK(difference(result(c, table, kFloats, seed), expected) <= 1e-5);
      for (const Element half : {Element::bf16, Element::f16}) {
        if (table.half(half) == nullptr) continue;
        INFO((half == Element::bf16 ? "bf16" : "f16"));
        CHECK(difference(result(c, table, {half, half, true}, seed), of_8_bits) <= 1e-2);
        if (c.kind != Kind::interleave) {
          CHECK(difference(result(c, table, {half, Element::f32, true}, seed), of_8_bits) <= 1e-2);
        }
        if (c.kind == Kind::convolution) {
          CHECK(difference(result(c, table, {Element::f32, half, true}, seed), of_8_bits) <= 1e-2);
        }
      }
    }
  }
  if (c.activation == Activation::silu && c.kind != Kind::activate) return;
  const Elements bytes{Element::u8, Element::u8};
  const std::vector<char> expected = result(c, scalar, bytes, seed);
  for (const KernelTable& table : kernel_tables()) {
    if (!table.is_usable()) continue;
    INFO(table.name << " u8");
    CHECK(result(c, table, bytes, seed) == expected);
  }
}

}  // namespace

TEST_CASE("kernels agree with the scalar ones on the shapes of the shipped networks") {
  unsigned seed = 1;
  const auto leaky = Activation::leaky_relu;
  for (const int channels : {24, 58, 88, 96, 116, 120, 232, 464}) {
    for (const int side : {5, 10, 20}) {
      compare({Kind::convolution, channels, side, side, 96, 1, 1, leaky, false, false}, ++seed);
      for (const int kernel : {3, 5}) {
        for (const int stride : {1, 2}) {
          compare({Kind::depthwise, channels, side, side, channels, kernel, stride, leaky, false, false}, ++seed);
        }
      }
    }
  }
  compare({Kind::convolution, 96, 40, 40, 112, 1, 1, Activation::none, false, true}, ++seed);
  compare({Kind::convolution, 3, 64, 96, 24, 3, 2, leaky, false, false}, ++seed);
  compare({Kind::max_pool, 24, 40, 60, 24, 3, 2, Activation::none, false, false}, ++seed);
}

TEST_CASE("kernels agree with the scalar ones on awkward shapes") {
  unsigned seed = 1000;
  const Activation activations[] = {Activation::none,       Activation::relu,       Activation::relu6,
                                    Activation::leaky_relu, Activation::hard_swish, Activation::silu};
  for (const int outputs : {1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 47, 63, 64, 65, 130}) {
    for (const bool tight : {false, true}) {
      const Activation activation = activations[seed % 6];
      compare({Kind::convolution, 1 + outputs % 13, 3, 7, outputs, 1, 1, activation, tight, seed % 2 == 0}, ++seed);
      compare({Kind::convolution, 1 + outputs % 5, 7, 5, outputs, 3, 1, activation, tight, false}, ++seed);
      for (const int channels : {5, 12, 24}) {
        const int kernel = channels == 12 ? 5 : 3;
        compare({Kind::convolution, channels, 7, 5, outputs, kernel, 1, activation, tight, false, Weights::small, true},
                ++seed);
      }
      compare({Kind::depthwise, outputs, 6, 9, outputs, 3, 1, activation, tight, false}, ++seed);
      compare({Kind::depthwise, outputs, 1, 2, outputs, 5, 1, activation, tight, false}, ++seed);
      compare({Kind::depthwise, outputs, 9, 13, outputs, 7, 2, activation, tight, false}, ++seed);
      compare({Kind::max_pool, outputs, 5, 6, outputs, 3, 2, Activation::none, tight, false}, ++seed);
      compare({Kind::add, outputs, 3, 5, outputs, 1, 1, Activation::relu, tight, false}, ++seed);
      compare({Kind::gate, outputs, 3, 5, outputs, 1, 1, Activation::none, tight, false}, ++seed);
      compare({Kind::activate, outputs, 2, 3, outputs, 1, 1, activation, tight, false}, ++seed);
      compare({Kind::copy, outputs, 2, 3, outputs, 1, 1, Activation::none, tight, false}, ++seed);
      compare({Kind::upsample_bilinear, outputs, 3, 4, outputs, 1, 1, Activation::none, tight, false}, ++seed);
      compare({Kind::upsample_nearest, outputs, 3, 4, outputs, 1, 1, Activation::none, tight, false}, ++seed);
      compare({Kind::interleave, outputs, 3, 4, 2 * outputs, 1, 1, Activation::none, tight, false}, ++seed);
      compare({Kind::global_average, outputs, 3, 4, outputs, 1, 1, Activation::none, tight, false}, ++seed);
    }
  }
}

TEST_CASE("kernels agree with the scalar ones on the largest weights and inputs") {
  for (const int channels : {4, 16, 58, 130}) {
    for (const Weights weights : {Weights::largest, Weights::too_large}) {
      compare({Kind::convolution, channels, 5, 6, 40, 1, 1, Activation::none, false, true, weights}, 7);
    }
    compare({Kind::convolution, channels, 5, 6, 40, 3, 1, Activation::none, false, true, Weights::too_large, true}, 9);
    for (const int kernel : {3, 5, 7}) {
      const Weights weights = Weights::largest;
      compare({Kind::depthwise, channels, 9, 8, channels, kernel, 1, Activation::none, false, true, weights}, 8);
    }
  }
}

// For tests/tools/cross, which knows what each emulated CPU has.
TEST_CASE("kernels of this CPU", "[.]") {
  for (const KernelTable& table : kernel_tables()) {
    if (table.is_usable()) std::printf("%s\n", table.name);
  }
}
