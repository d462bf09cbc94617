#include "native/peak.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>

#include "native/model.hpp"
#include "native/network.hpp"

namespace nanoedge::native {
namespace {

using Clock = std::chrono::steady_clock;

struct Channels {
  int in, out;
};
constexpr Channels kTried[] = {{64, 64}, {128, 64}, {256, 64}, {512, 64}, {128, 128}, {256, 128}};
constexpr int kRows = 16, kColumns = 24;  // rows of each thread
constexpr double kSeconds = 0.04;         // for each of them

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// A file's bytes, as far as a network takes anything from them: weights, biases, multipliers of small numbers.
struct Synthetic {
  Model model;
  Bytes bytes;

  Synthetic(Channels channels, int rows, Element element) {
    const std::size_t size = element == Element::f32 ? sizeof(float) : 1;
    const auto value = [&](int count, std::uint64_t offset) {
      Value made;
      made.offset = offset, made.channels = count, made.height = rows, made.width = kColumns;
      made.pixel = count, made.row = std::int64_t{count} * kColumns, made.element = element;
      return made;
    };
    const auto pixels = static_cast<std::uint64_t>(rows) * kColumns;
    const auto in = static_cast<std::size_t>(channels.in), out = static_cast<std::size_t>(channels.out);
    model.values = {value(channels.in, 0), value(channels.out, size * in * pixels)};
    model.arena = size * (in + out) * pixels;
    Operation operation;
    operation.kind = Kind::convolution, operation.activation = Activation::leaky_relu, operation.slope = 0.1F;
    operation.kernel = 1, operation.input = 0, operation.output = 1, operation.room = channels.out;
    operation.stored = element == Element::f32 ? Stored::f32 : Stored::s8;
    operation.bias = size * in * out, operation.multiplier = operation.bias + sizeof(float) * out;
    model.operations = {operation};
    bytes.resize(operation.multiplier + sizeof(float) * out);
    const float small = 0.01F;
    if (element == Element::f32) {
      for (std::size_t at = 0; at < operation.bias; at += sizeof small) std::memcpy(&bytes[at], &small, sizeof small);
    } else {
      std::fill_n(bytes.begin(), operation.bias, char{3});
    }
    for (std::size_t at = operation.bias; at < bytes.size(); at += sizeof small) {
      std::memcpy(&bytes[at], &small, sizeof small);
    }
  }

  double multiply_adds() const {
    return static_cast<double>(weight_count(model, model.operations[0])) * model.values[1].height * kColumns;
  }
};

void fill(const Map& map) {
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      for (int c = 0; c < map.channels; ++c) {
        const int level = (x + c) % 200;
        if (map.element == Element::f32) {
          map.f32(y, x)[c] = static_cast<float>(level);
        } else {
          map.u8(y, x)[c] = static_cast<std::uint8_t>(level);
        }
      }
    }
  }
}

}  // namespace

double measured_peak(const KernelTable& kernels, Element element, int threads) {
  double best = 0;
  for (const Channels& channels : kTried) {
    const Synthetic synthetic(channels, kRows * threads, element);
    Network network(synthetic.model, synthetic.bytes, kernels, Element::f32, threads);
    fill(network.input());
    network.run();
    double fastest = std::numeric_limits<double>::infinity();
    const Clock::time_point begin = Clock::now();
    do {
      const Clock::time_point start = Clock::now();
      network.run();
      fastest = std::min(fastest, seconds_since(start));
    } while (seconds_since(begin) < kSeconds);
    best = std::max(best, synthetic.multiply_adds() / fastest);
  }
  return best;
}

}  // namespace nanoedge::native
