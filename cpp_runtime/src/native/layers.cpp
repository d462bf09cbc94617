#include "native/layers.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "bundle/bundle.hpp"
#include "native/kernels/choose.hpp"
#include "options.hpp"

namespace nanoedge::native {
namespace {

const KernelTable& kernels_called(const std::string& name) {
  if (name.empty()) return choose_kernels();
  std::string known;
  for (const KernelTable& table : kernel_tables()) {
    if (name == table.name) {
      if (table.is_usable()) return table;
      throw Error(ErrorKind::engine, "This CPU lacks what the kernels " + name + " need; choose others.");
    }
    known += (known.empty() ? "" : ", ") + std::string(table.name);
  }
  throw Error(ErrorKind::input, "Unknown kernels '" + name + "'; known: " + known + ".");
}

std::uint64_t element_size(const Value& value) {
  return value.element == Element::f32 ? sizeof(float) : 1;
}

std::uint64_t pixels_of(const Value& value) {
  return static_cast<std::uint64_t>(value.height) * static_cast<std::uint64_t>(value.width);
}

std::uint64_t size_of(const Value& value) {
  return element_size(value) * pixels_of(value) * static_cast<std::uint64_t>(value.channels);
}

// Values of a map behind each other.
void copy_map(const Map& map, char* to) {
  const std::size_t size = map.element == Element::f32 ? sizeof(float) : 1;
  const std::size_t pixel = size * static_cast<std::size_t>(map.channels);
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x, to += pixel) {
      std::memcpy(
          to, static_cast<const char*>(map.data) + static_cast<std::ptrdiff_t>(size) * (y * map.row + x * map.pixel),
          pixel);
    }
  }
}

}  // namespace

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::convolution:
      return "convolution";
    case Kind::depthwise:
      return "depth-wise";
    case Kind::max_pool:
      return "max-pool";
    case Kind::add:
      return "sum";
    case Kind::upsample_bilinear:
      return "bilinear";
    case Kind::upsample_nearest:
      return "nearest";
    case Kind::interleave:
      return "interleave";
    case Kind::copy:
      return "copy";
    case Kind::activate:
      return "activation";
    case Kind::global_average:
      return "mean";
    case Kind::gate:
      return "gate";
  }
  return "";
}

std::unique_ptr<Layers> Layers::load(const std::string& folder, FilePrecision precision, const std::string& kernels,
                                     int threads) {
  Options options;
  options.threads = threads;
  const int count = engine_options_of(options).threads;
  const KernelTable& table = kernels_called(kernels);
  const Bundle bundle = Bundle::open(folder);
  const EngineEntry& entry = bundle.entry("native", precision);
  if (entry.files.size() != 1) throw Error(ErrorKind::bundle, bundle.folder() + ": native needs one file.");
  const Bytes bytes = bundle.read(entry.files[0]);
  Model model = read_model(bytes, bundle.manifest(), bundle.path(entry.files[0]));
  return std::make_unique<Layers>(std::move(model), bytes, table, count);
}

Layers::Layers(Model model, const Bytes& bytes, const KernelTable& kernels, int threads)
    : model_(std::move(model)),
      kernels_(kernels),
      threads_(threads),
      network_(model_, bytes, kernels, Element::f32, threads) {}

Layer Layers::layer(int number) const {
  const auto value = [&](int of) { return &model_.values[static_cast<std::size_t>(of)]; };
  Layer layer;
  layer.operation = &model_.operations[static_cast<std::size_t>(number)];
  layer.inputs.push_back(value(layer.operation->input));
  if (layer.operation->input2 >= 0) layer.inputs.push_back(value(layer.operation->input2));
  layer.output = value(layer.operation->output);
  for (const Value* input : layer.inputs) layer.read += size_of(*input);
  layer.written = size_of(*layer.output);
  const bool bytes = layer.inputs[0]->element == Element::u8;
  if (layer.operation->has_weights()) {
    const std::uint64_t count = weight_count(model_, *layer.operation);
    layer.multiply_adds = count * pixels_of(*layer.output);
    layer.weights = count * (bytes ? 1 : sizeof(float)) +
                    static_cast<std::uint64_t>(layer.output->channels) * sizeof(float) * (bytes ? 2 : 1);
  } else if (layer.operation->kind == Kind::activate && bytes) {
    layer.weights = 256;
  }
  return layer;
}

void Layers::set_picture(const std::uint8_t* picture) {
  const Map& to = network_.input();
  for (int y = 0; y < to.height; ++y) {
    for (int x = 0; x < to.width; ++x, picture += 3) {
      for (int c = 0; c < 3; ++c) {
        if (to.element == Element::f32) {
          to.f32(y, x)[c] = static_cast<float>(picture[c]);
        } else {
          to.u8(y, x)[c] = picture[c];
        }
      }
    }
  }
}

void Layers::run_and_copy(const std::vector<void*>& maps) {
  for (int number = 0; number < count(); ++number) {
    network_.run_step(number);
    copy_map(network_.step(number).out, static_cast<char*>(maps[static_cast<std::size_t>(number)]));
  }
}

void Layers::run_and_time(double* seconds) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point before = Clock::now();
  for (int number = 0; number < count(); ++number) {
    network_.run_step(number);
    const Clock::time_point after = Clock::now();
    seconds[number] = std::chrono::duration<double>(after - before).count();
    before = after;
  }
}

void Layers::copy_output(float* output) const {
  const auto channels = static_cast<std::size_t>(model_.channels);
  for (std::size_t row = 0; row < static_cast<std::size_t>(model_.priors); ++row) {
    std::copy_n(network_.output() + row * network_.output_row(), channels, output + row * channels);
  }
}

}  // namespace nanoedge::native
