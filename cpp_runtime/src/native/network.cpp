#include "native/network.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

#include "native/half.hpp"
#include "threads/team.hpp"

namespace nanoedge::native {
namespace {

constexpr std::chrono::microseconds kLookForOthers{100};  // longer than shares of one step differ
constexpr std::size_t kLine = 64;
constexpr int kRowsOfBand = 2;
constexpr std::size_t kMargin = 512;  // kernels read whole vectors beyond the last channel

std::size_t rounded(std::size_t size) {
  return (size + kLine - 1) / kLine * kLine;
}

std::vector<float> floats_at(const Bytes& bytes, std::uint64_t offset, std::size_t count, Stored stored) {
  std::vector<float> values(count);
  const char* from = bytes.data() + offset;
  if (stored == Stored::f32) {
    std::memcpy(values.data(), from, count * sizeof(float));
    return values;
  }
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t half;
    std::memcpy(&half, from + i * sizeof half, sizeof half);
    values[i] = float_of_half(half);
  }
  return values;
}

}  // namespace

Arena::Arena(std::size_t size) {
  const std::size_t whole = rounded(size + kMargin);
  begin_.reset(static_cast<char*>(std::aligned_alloc(kLine, whole)));
  if (!begin_) throw Error(ErrorKind::engine, "There is not enough memory for the network.");
  std::memset(begin_.get(), 0, whole);
}

void Arena::Free::operator()(char* memory) const {
  std::free(memory);
}

Network::Places::Places(const Model& model, const KernelTable& kernels, Element wanted)
    : output_from(model.output), output_to(model.output), size(model.arena) {
  const Value& picture = model.values[static_cast<std::size_t>(model.input)];
  const auto values = [](std::int64_t count) { return static_cast<std::uint64_t>(count) * sizeof(float); };
  const std::uint64_t begin =
      picture.offset - values(picture.border_top * picture.row + picture.border_left * picture.pixel);
  const std::uint64_t whole = values(picture.row * (picture.border_top + picture.height + picture.border_bottom));
  // The picture is only convolved, and no other map is a part of it.
  const bool is_alone = std::none_of(model.values.begin(), model.values.end(), [&](const Value& each) {
    return &each != &picture && each.offset >= begin && each.offset < begin + whole;
  });
  const bool is_convolved = std::all_of(model.operations.begin(), model.operations.end(), [&](const Operation& each) {
    return each.kind == Kind::convolution || (each.input != model.input && each.input2 != model.input);
  });
  const bool is_known = kernels.half(wanted) != nullptr;
  if (!is_known || picture.element != Element::f32 || !is_alone || !is_convolved) return;
  floats = wanted;
  picture_from = begin;
  picture_to = rounded(output_from / 2) + kMargin;
  output_to = rounded(picture_to + whole) + kMargin;
  size = output_to + (model.arena - model.output);
}

Element Network::Places::element_of(const Value& value, bool is_picture) const {
  return !is_picture && value.offset < output_from && value.element == Element::f32 ? floats : value.element;
}

Map Network::map_of(const Value& value, bool is_picture) const {
  Map map;
  map.element = places_.element_of(value, is_picture);
  std::uint64_t offset = value.offset;
  if (map.element == Element::bf16 || map.element == Element::f16) {
    offset /= 2;
  } else if (is_picture) {
    offset = places_.picture_to + (offset - places_.picture_from);
  } else if (offset >= places_.output_from) {
    offset = places_.output_to + (offset - places_.output_from);
  }
  map.data = arena_.data() + offset;
  map.channels = value.channels, map.height = value.height, map.width = value.width;
  map.pixel = value.pixel, map.row = value.row;
  map.zero_point = value.zero_point;
  map.border_top = value.border_top, map.border_left = value.border_left;
  map.border_bottom = value.border_bottom, map.border_right = value.border_right;
  return map;
}

void Network::fill_border(const Value& value, const std::array<float, 3>& border) const {
  const Map map = map_of(value, true);
  for (int y = -map.border_top; y < map.height + map.border_bottom; ++y) {
    for (int x = -map.border_left; x < map.width + map.border_right; ++x) {
      if (y >= 0 && y < map.height && x >= 0 && x < map.width) continue;
      for (int c = 0; c < 3; ++c) {
        const float level = border[static_cast<std::size_t>(c)];
        if (map.element == Element::f32) {
          map.f32(y, x)[c] = level;
        } else {
          map.u8(y, x)[c] = static_cast<std::uint8_t>(std::clamp(std::nearbyint(level), 0.F, 255.F));
        }
      }
    }
  }
}

void Network::take_floats(const Operation& operation, const Model& model, const Bytes& bytes, Bound& bound) {
  const auto channels = static_cast<std::size_t>(bound.step.out.channels);
  const std::vector<float> weights =
      floats_at(bytes, operation.weights, weight_count(model, operation), operation.stored);
  const std::size_t packed = rounded(bound.kernel->packed_size(bound.step));
  const Arena& memory = weights_.emplace_back(packed + channels * sizeof(float));
  bound.kernel->pack(bound.step, weights.data(), memory.data());
  std::memcpy(memory.data() + packed, bytes.data() + operation.bias, channels * sizeof(float));
  bound.step.weights = memory.data();
  bound.step.bias = reinterpret_cast<const float*>(memory.data() + packed);
}

void Network::take_bytes(const Operation& operation, const Model& model, const Bytes& bytes, Bound& bound) {
  const auto channels = static_cast<std::size_t>(bound.step.out.channels);
  const auto* weights = reinterpret_cast<const std::int8_t*>(bytes.data() + operation.weights);
  const std::size_t count = weight_count(model, operation) / channels;  // of a channel
  const std::size_t packed = rounded(bound.kernel->packed_size(bound.step));
  const std::size_t array = rounded((channels + kWidestBlock) * sizeof(float));
  const Arena& memory = weights_.emplace_back(packed + 3 * array);
  bound.kernel->pack(bound.step, weights, memory.data());
  char* arrays = memory.data() + packed;
  auto* start = reinterpret_cast<std::int32_t*>(arrays + 2 * array);
  const std::size_t places = channels + kWidestBlock;
  for (std::size_t place = 0; place < places; ++place) {
    const auto at = [&](int number) {
      return bound.kernel->channel_at ? bound.kernel->channel_at(bound.step, number) : number;
    };
    const auto c = static_cast<std::size_t>(at(static_cast<int>(place)));
    if (c >= channels) continue;
    std::memcpy(arrays + place * sizeof(float), bytes.data() + operation.bias + c * sizeof(float), sizeof(float));
    std::memcpy(arrays + array + place * sizeof(float), bytes.data() + operation.multiplier + c * sizeof(float),
                sizeof(float));
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += weights[c * count + i];
    start[place] = -bound.step.in.zero_point * sum;
  }
  bound.step.weights = memory.data();
  bound.step.bias = reinterpret_cast<const float*>(arrays);
  bound.step.multiplier = reinterpret_cast<const float*>(arrays + array);
  bound.step.start = start;
}

Network::Network(const Model& model, const Bytes& bytes, const KernelTable& kernels, Element floats, int threads)
    : places_(model, kernels, floats),
      arena_(places_.size),
      output_(reinterpret_cast<const float*>(arena_.data() + places_.output_to)),
      output_row_(static_cast<std::size_t>(model.output_row)),
      threads_(threads) {
  const auto value = [&](int number) -> const Value& { return model.values[static_cast<std::size_t>(number)]; };
  const auto map = [&](int number) { return map_of(value(number), number == model.input); };
  input_ = map(model.input);
  fill_border(value(model.input), model.input_border);
  std::size_t scratch = 0;
  for (const Operation& operation : model.operations) {
    const bool is_bytes = value(operation.input).element == Element::u8;
    Bound bound;
    bound.name = operation.name;
    Step& step = bound.step;
    step.kind = operation.kind, step.activation = operation.activation, step.slope = operation.slope;
    step.in = map(operation.input);
    if (operation.input2 >= 0) step.in2 = map(operation.input2);
    step.out = map(operation.output);
    bound.kernel = &kernels.kernel(operation.kind, step.in.element, step.out.element);
    step.kernel = operation.kernel, step.stride = operation.stride;
    step.top = operation.top, step.left = operation.left;
    step.room = operation.room;
    std::copy(std::begin(operation.scalars), std::end(operation.scalars), step.scalars);
    if (operation.has_weights()) {
      is_bytes ? take_bytes(operation, model, bytes, bound) : take_floats(operation, model, bytes, bound);
    } else if (operation.kind == Kind::activate && is_bytes) {
      const Arena& memory = weights_.emplace_back(256);
      std::memcpy(memory.data(), bytes.data() + operation.weights, 256);
      step.weights = memory.data();
    }
    bound.items = bound.kernel->items(step);
    if (bound.kernel->scratch_size != nullptr) scratch = std::max(scratch, bound.kernel->scratch_size(step));
    if (!steps_.empty() && step.kind == Kind::max_pool) {
      Bound& before = steps_.back();
      before.feeds_pool = before.step.out.data == step.in.data && before.items == before.step.out.height;
    }
    steps_.push_back(std::move(bound));
  }
  for (int thread = 0; thread < threads; ++thread) scratch_.emplace_back(scratch);
  if (threads > 1) {
    const bool is_crowded = threads > threads::usable_cpus();  // then to look would keep the CPU from those looked for
    barrier_ = std::make_unique<threads::Barrier>(is_crowded ? std::chrono::microseconds(0) : kLookForOthers);
  }
}

void Network::run_share(const Bound& bound, int thread, int threads) const {
  const int most = std::min(threads, bound.items);
  if (thread >= most) return;
  const auto place = [&](int of) { return static_cast<int>(static_cast<long>(bound.items) * of / most); };
  char* scratch = scratch_[static_cast<std::size_t>(thread)].data();
  bound.kernel->run(bound.step, place(thread), place(thread + 1), scratch);
}

// The first map is the largest of all: what the pool needs of it is still in the nearest cache.
void Network::run_in_bands(const Bound& bound, const Bound& pool) const {
  char* scratch = scratch_[0].data();
  int done = 0;
  for (int first = 0; first < pool.items; first += kRowsOfBand) {
    const int end = std::min(pool.items, first + kRowsOfBand);
    const int below = (end - 1) * pool.step.stride - pool.step.top + pool.step.kernel;
    const int needed = end == pool.items ? bound.items : std::min(bound.items, below);
    if (done < needed) bound.kernel->run(bound.step, done, needed, scratch);
    done = std::max(done, needed);
    pool.kernel->run(pool.step, first, end, scratch);
  }
}

void Network::run_step(int number) {
  const std::pair<const Network*, const Bound*> job{this, &steps_[static_cast<std::size_t>(number)]};
  const auto share = [](void* data) {
    const auto& [network, bound] = *static_cast<const std::pair<const Network*, const Bound*>*>(data);
    network->run_share(*bound, threads::number(), threads::count());
  };
  threads::run(share, const_cast<std::pair<const Network*, const Bound*>*>(&job), threads_);
}

void Network::run() {
  if (threads_ == 1) {
    for (std::size_t number = 0; number < steps_.size(); ++number) {
      if (steps_[number].feeds_pool) {
        run_in_bands(steps_[number], steps_[number + 1]);
        ++number;
      } else {
        run_share(steps_[number], 0, 1);
      }
    }
    return;
  }
  // One call for all steps: its threads meet behind each of them.
  const auto share = [](void* data) {
    const Network& network = *static_cast<const Network*>(data);
    const int thread = threads::number(), count = threads::count();
    for (const Bound& bound : network.steps_) {
      network.run_share(bound, thread, count);
      if (count > 1) network.barrier_->wait(count);
    }
  };
  threads::run(share, this, threads_);
}

}  // namespace nanoedge::native
