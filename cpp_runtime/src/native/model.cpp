#include "native/model.hpp"

#include <cmath>
#include <cstring>

namespace nanoedge::native {
namespace {

constexpr char kMagic[] = {'N', 'E', 'n', 'a', 't', 'i', 'v', 'e'};
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kHeader = 84, kValue = 56, kOperation = 88;
constexpr std::uint32_t kMostRecords = 100'000;
constexpr std::uint64_t kMostArena = std::uint64_t{1} << 31;
constexpr int kMostSide = 1 << 15, kMostChannels = 1 << 15, kMostStride = 8;
// Sums of bytes stay within 32 bits: products are at most 255 * 128, and the zero point takes away as much.
constexpr std::uint64_t kMostProducts = 32'000;
constexpr std::int64_t kMostPixels = 4'000'000;
constexpr std::int64_t kMostStep = std::int64_t{1} << 30;

// CRC-32 as in zlib.
std::uint32_t crc32(const char* data, std::size_t size) {
  std::uint32_t table[256];
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (value & 1 ? 0xEDB88320U : 0U);
    table[i] = value;
  }
  std::uint32_t value = ~0U;
  for (std::size_t i = 0; i < size; ++i) {
    value = (value >> 8) ^ table[(value ^ static_cast<unsigned char>(data[i])) & 255U];
  }
  return ~value;
}

// Takes little-endian numbers one after the other.
class Reader {
 public:
  Reader(const char* at, const char* end) : at_(at), end_(end) {}

  template <class T>
  T take() {
    T value{};
    if (static_cast<std::size_t>(end_ - at_) >= sizeof value) std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  void skip(int bytes) { at_ += bytes; }

 private:
  const char* at_;
  const char* end_;
};
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are read as they lie in the file");

class Parser {
 public:
  Parser(const Bytes& bytes, const Manifest& manifest, const std::string& place)
      : bytes_(bytes), manifest_(manifest), place_(place) {}

  Model parse() {
    read_header();
    for (Value& value : model_.values) read_value(value);
    for (Operation& operation : model_.operations) read_operation(operation);
    return std::move(model_);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorKind::bundle, place_ + ": " + what + "; export the bundle again.");
  }
  void check(bool holds, const std::string& what) const {
    if (!holds) refuse(what);
  }

  void read_header() {
    check(bytes_.size() >= kHeader && std::memcmp(bytes_.data(), kMagic, sizeof kMagic) == 0,
          "this is no network of NanoEdge's own engine");
    Reader reader(bytes_.data() + sizeof kMagic, bytes_.data() + kHeader);
    const auto version = reader.take<std::uint32_t>();
    if (version != kVersion) {
      throw Error(ErrorKind::bundle, place_ + " has version " + std::to_string(version) +
                                         " of the format, this NanoEdge reads version " + std::to_string(kVersion) +
                                         "; install a NanoEdge that fits, or export the bundle again.");
    }
    const auto checksum = reader.take<std::uint32_t>();
    check(reader.take<std::uint64_t>() == bytes_.size(), "the file is cut off or too long");
    check(checksum_of(bytes_) == checksum, "the file is damaged (its checksum is wrong)");
    model_.arena = reader.take<std::uint64_t>();
    const auto values = reader.take<std::uint32_t>(), operations = reader.take<std::uint32_t>();
    names_size_ = reader.take<std::uint32_t>();
    const auto input = reader.take<std::uint32_t>();
    const auto priors = reader.take<std::uint32_t>(), channels = reader.take<std::uint32_t>();
    model_.output = reader.take<std::uint64_t>();
    model_.output_row = reader.take<std::uint32_t>();
    reader.skip(4);
    for (float& value : model_.input_border) {
      value = reader.take<float>();
      check(std::isfinite(value), "the picture's border is not a number");
    }
    check(model_.arena <= kMostArena, "it asks for more memory than any network needs");
    check(values <= kMostRecords && operations <= kMostRecords && values > 0 && operations > 0 && input < values,
          "its counts are impossible");
    const std::uint64_t records = kHeader + std::uint64_t{values} * kValue + std::uint64_t{operations} * kOperation;
    check(records + names_size_ <= bytes_.size(), "its tables do not fit into the file");
    names_ = bytes_.data() + records;
    check(names_size_ > 0 && names_[names_size_ - 1] == '\0', "its names have no end");
    data_ = records + names_size_;
    model_.values.resize(values);
    model_.operations.resize(operations);
    model_.input = static_cast<int>(input);
    check(priors == manifest_.decoder.prior_count(manifest_.input.width, manifest_.input.height) &&
              channels == static_cast<std::uint32_t>(manifest_.output_channels()),
          "its output has another shape than the manifest says");
    model_.priors = static_cast<int>(priors);
    model_.channels = static_cast<int>(channels);
    check(model_.output_row >= channels && model_.output % sizeof(float) == 0 && model_.output <= model_.arena &&
              (model_.arena - model_.output) / sizeof(float) / static_cast<std::uint64_t>(model_.output_row) >= priors,
          "its output does not fit into its memory");
    next_ = bytes_.data() + kHeader;
  }

  std::string name_at(std::uint32_t offset) const {
    check(offset < names_size_, "a name lies outside the file");
    return names_ + offset;
  }

  void read_value(Value& value) {
    Reader reader(next_, next_ + kValue);
    next_ += kValue;
    value.offset = reader.take<std::uint64_t>();
    const auto channels = reader.take<std::uint32_t>(), height = reader.take<std::uint32_t>(),
               width = reader.take<std::uint32_t>();
    value.pixel = reader.take<std::uint32_t>();
    value.row = reader.take<std::uint32_t>();
    const auto element = reader.take<std::uint8_t>();
    reader.skip(3);
    value.scale = reader.take<float>();
    value.zero_point = reader.take<std::int32_t>();
    value.border_top = reader.take<std::uint8_t>();
    value.border_left = reader.take<std::uint8_t>();
    value.border_bottom = reader.take<std::uint8_t>();
    value.border_right = reader.take<std::uint8_t>();
    value.name = name_at(reader.take<std::uint32_t>());
    const auto exponents = reader.take<std::uint64_t>();
    check(channels > 0 && channels <= kMostChannels && height > 0 && height <= kMostSide && width > 0 &&
              width <= kMostSide && value.pixel >= channels && value.pixel <= kMostStep && value.row <= kMostStep,
          "the map " + value.name + " has an impossible size");
    value.channels = static_cast<int>(channels);
    value.height = static_cast<int>(height);
    value.width = static_cast<int>(width);
    check(value.row >= value.pixel * (value.width + value.border_left + value.border_right),
          "the rows of the map " + value.name + " overlap");
    check(element <= 1, "the map " + value.name + " is made of something unknown");
    value.element = static_cast<Element>(element);
    check(std::isfinite(value.scale) && value.scale > 0 && value.zero_point >= 0 && value.zero_point <= 255,
          "the map " + value.name + " has an impossible scale");
    if (exponents != 0) {
      exponents_size_ += channels;  // they lie apart: what is kept of them is no larger than the file
      check(is_array(exponents, channels) && exponents_size_ <= bytes_.size(),
            "the exponents of the map " + value.name + " lie outside the file");
      const char* first = bytes_.data() + exponents;
      value.exponents.assign(first, first + channels);
    }
    check(fits(value, value.channels), "the map " + value.name + " does not fit into the memory");
  }

  static std::int64_t bytes_of(Element element) { return element == Element::f32 ? 4 : 1; }

  // Bytes from the border's begin to the first pixel, and from there to the border's end, with so many channels of the
  // last pixel.
  static std::int64_t before(const Value& value) {
    return (value.border_top * value.row + value.border_left * value.pixel) * bytes_of(value.element);
  }
  static std::int64_t after(const Value& value, std::int64_t channels) {
    return ((value.height - 1 + value.border_bottom) * value.row +
            (value.width - 1 + value.border_right) * value.pixel + channels) *
           bytes_of(value.element);
  }

  // Whether the map with its border lies inside the arena.
  bool fits(const Value& value, std::int64_t channels) const {
    return value.offset % static_cast<std::uint64_t>(bytes_of(value.element)) == 0 && value.offset <= model_.arena &&
           static_cast<std::uint64_t>(before(value)) <= value.offset &&
           static_cast<std::uint64_t>(after(value, channels)) <= model_.arena - value.offset;
  }

  // Whether nothing of `in` is overwritten while so many channels of `out` are written: they lie behind each other, or
  // are different channels of the same pixels. Both fit.
  static bool are_apart(const Value& in, const Value& out, std::int64_t room) {
    const auto start = static_cast<std::int64_t>(in.offset), other = static_cast<std::int64_t>(out.offset);
    const std::int64_t vector = in.element == Element::u8 ? 15 : 0;  // bytes are moved in whole vectors
    if (start + after(in, in.channels + vector) <= other - before(out)) return true;
    if (other + after(out, room) <= start - before(in)) return true;
    if (in.element != out.element || in.pixel != out.pixel || in.row != out.row || in.row % in.pixel != 0) return false;
    const std::int64_t distance = (other - start) / bytes_of(in.element) % in.pixel;
    const std::int64_t place = distance < 0 ? distance + in.pixel : distance;
    return place >= in.channels && place + room <= in.pixel;
  }

  int value_number(std::uint32_t number, const std::string& name) const {
    check(number < model_.values.size(), name + " uses a map that does not exist");
    return static_cast<int>(number);
  }

  void read_operation(Operation& operation) {
    Reader reader(next_, next_ + kOperation);
    next_ += kOperation;
    const auto kind = reader.take<std::uint8_t>(), activation = reader.take<std::uint8_t>();
    operation.kernel = reader.take<std::uint8_t>();
    operation.stride = reader.take<std::uint8_t>();
    operation.top = reader.take<std::uint8_t>();
    operation.left = reader.take<std::uint8_t>();
    operation.bottom = reader.take<std::uint8_t>();
    operation.right = reader.take<std::uint8_t>();
    operation.slope = reader.take<float>();
    const auto room = reader.take<std::uint32_t>();
    const auto input = reader.take<std::uint32_t>(), input2 = reader.take<std::uint32_t>(),
               output = reader.take<std::uint32_t>(), name = reader.take<std::uint32_t>();
    operation.weights = reader.take<std::uint64_t>();
    operation.bias = reader.take<std::uint64_t>();
    operation.multiplier = reader.take<std::uint64_t>();
    const auto stored = reader.take<std::uint8_t>();
    reader.skip(7);
    for (float& scalar : operation.scalars) scalar = reader.take<float>();
    operation.name = name_at(name);
    check(kind >= 1 && kind < kKinds, operation.name + " is an operation that this NanoEdge does not know");
    check(activation <= static_cast<int>(Activation::hard_sigmoid),
          operation.name + " has an activation that this NanoEdge does not know");
    operation.kind = static_cast<Kind>(kind);
    operation.activation = static_cast<Activation>(activation);
    check(operation.slope >= 0 && operation.slope <= 1, operation.name + " has an impossible slope");
    for (const float scalar : operation.scalars) {
      check(std::isfinite(scalar), operation.name + " calculates with something that is not a number");
    }
    check(stored <= static_cast<int>(Stored::s8), operation.name + " has weights of an unknown kind");
    operation.stored = static_cast<Stored>(stored);
    operation.input = value_number(input, operation.name);
    operation.output = value_number(output, operation.name);
    const bool binary =
        operation.kind == Kind::add || operation.kind == Kind::interleave || operation.kind == Kind::gate;
    operation.input2 = binary ? value_number(input2, operation.name) : -1;
    check_shapes(operation);
    const Value& out = value(operation.output);
    check(room >= static_cast<std::uint32_t>(out.channels) && room <= out.pixel && fits(out, room),
          operation.name + " would write outside the memory");
    operation.room = static_cast<int>(room);
    check(are_apart(value(operation.input), out, room) &&
              (operation.input2 < 0 || are_apart(value(operation.input2), out, room)),
          operation.name + " would write to what it reads");
    check_arrays(operation);
  }

  const Value& value(int number) const { return model_.values[static_cast<std::size_t>(number)]; }

  static bool same_size(const Value& a, const Value& b) { return a.height == b.height && a.width == b.width; }

  void check_shapes(const Operation& operation) const {
    const Value& in = value(operation.input);
    const Value& out = value(operation.output);
    bool fits = true;
    const bool same = same_size(in, out) && in.channels == out.channels;
    switch (operation.kind) {
      case Kind::convolution:
        fits = covers(operation, in, out) && in.border_top >= operation.top && in.border_left >= operation.left &&
               in.border_bottom >= operation.bottom && in.border_right >= operation.right;
        break;
      case Kind::depthwise:
      case Kind::max_pool:
        fits = covers(operation, in, out) && in.channels == out.channels;
        break;
      case Kind::add:
      case Kind::interleave: {
        const Value& other = value(operation.input2);
        const int channels = operation.kind == Kind::add ? in.channels : 2 * in.channels;
        fits = same_size(in, out) && same_size(in, other) && in.channels == other.channels && out.channels == channels;
        break;
      }
      case Kind::upsample_bilinear:
      case Kind::upsample_nearest:
        fits = in.channels == out.channels && out.height == 2 * in.height && out.width == 2 * in.width;
        break;
      case Kind::copy:
      case Kind::activate:
        fits = same;
        break;
      case Kind::global_average:
        fits = in.channels == out.channels && out.height == 1 && out.width == 1 &&
               std::int64_t{in.height} * in.width <= kMostPixels;
        break;
      case Kind::gate: {
        const Value& factors = value(operation.input2);
        fits = same && factors.channels == in.channels && factors.height == 1 && factors.width == 1;
        break;
      }
    }
    check(fits, operation.name + " does not fit the maps around it");
    check(
        operation.output != operation.input && operation.output != operation.input2 && operation.output != model_.input,
        operation.name + " would write to what it reads");
    check(elements_fit(operation, in, out), operation.name + " has maps of the wrong kind");
  }

  // Bytes come from bytes; means, gates and the output are float32.
  bool elements_fit(const Operation& operation, const Value& in, const Value& out) const {
    const bool bytes = in.element == Element::u8;
    if (!bytes && out.element == Element::u8) return false;
    switch (operation.kind) {
      case Kind::convolution:
      case Kind::depthwise:
      case Kind::add:
        break;
      case Kind::global_average:
        return out.element == Element::f32;
      default:
        if (in.element != out.element) return false;
    }
    if (operation.input2 < 0) return true;
    const Element other = value(operation.input2).element;
    return other == (operation.kind == Kind::gate ? Element::f32 : in.element);
  }

  // Whether the output has as many windows as fit into the input and its padding.
  static bool covers(const Operation& operation, const Value& in, const Value& out) {
    const int kernel = operation.kernel, stride = operation.stride;
    if (kernel < 1 || kernel > kMostKernel || stride < 1 || stride > kMostStride) return false;
    if (operation.top >= kernel || operation.left >= kernel || operation.bottom >= kernel ||
        operation.right >= kernel) {
      return false;
    }
    const int height = in.height + operation.top + operation.bottom,
              width = in.width + operation.left + operation.right;
    return height >= kernel && width >= kernel && out.height == (height - kernel) / stride + 1 &&
           out.width == (width - kernel) / stride + 1;
  }

  void check_arrays(const Operation& operation) const {
    const bool bytes = value(operation.input).element == Element::u8;
    if (operation.kind == Kind::activate && bytes) check_array(operation, operation.weights, 256);
    if (!operation.has_weights()) return;
    check((operation.stored == Stored::s8) == bytes, operation.name + " has weights of the wrong kind");
    const std::uint64_t size = operation.stored == Stored::f32 ? 4 : operation.stored == Stored::f16 ? 2 : 1;
    const auto channels = static_cast<std::uint64_t>(value(operation.output).channels);
    check_array(operation, operation.weights, size * weight_count(model_, operation));
    check_numbers(operation, operation.bias, channels);
    if (!bytes) return;
    check_numbers(operation, operation.multiplier, channels);
    check(weight_count(model_, operation) / channels <= kMostProducts, operation.name + " has sums that are too large");
    check(operation.activation != Activation::silu && operation.activation != Activation::hard_sigmoid,
          operation.name + " has an activation that bytes do not have");
  }

  void check_array(const Operation& operation, std::uint64_t offset, std::uint64_t size) const {
    check(is_array(offset, size), "the weights of " + operation.name + " lie outside the file");
  }

  bool is_array(std::uint64_t offset, std::uint64_t size) const {
    return offset >= data_ && offset <= bytes_.size() && size <= bytes_.size() - offset && offset % 4 == 0;
  }

  void check_numbers(const Operation& operation, std::uint64_t offset, std::uint64_t count) const {
    check_array(operation, offset, sizeof(float) * count);
    for (std::uint64_t i = 0; i < count; ++i) {
      float number;
      std::memcpy(&number, bytes_.data() + offset + sizeof number * i, sizeof number);
      if (!std::isfinite(number)) refuse(operation.name + " calculates with something that is not a number");
    }
  }

  const Bytes& bytes_;
  const Manifest& manifest_;
  const std::string& place_;
  Model model_;
  const char* next_ = nullptr;
  const char* names_ = nullptr;
  std::uint32_t names_size_ = 0;
  std::uint64_t data_ = 0, exponents_size_ = 0;
};

}  // namespace

std::uint32_t checksum_of(const Bytes& bytes) {
  return crc32(bytes.data() + 16, bytes.size() - 16);
}

std::size_t weight_count(const Model& model, const Operation& operation) {
  const auto inputs = static_cast<std::size_t>(model.values[static_cast<std::size_t>(operation.input)].channels);
  const auto outputs = static_cast<std::size_t>(model.values[static_cast<std::size_t>(operation.output)].channels);
  const auto taps = static_cast<std::size_t>(operation.kernel) * static_cast<std::size_t>(operation.kernel);
  return taps * outputs * (operation.kind == Kind::depthwise ? 1 : inputs);
}

Model read_model(const Bytes& bytes, const Manifest& manifest, const std::string& place) {
  Model model = Parser(bytes, manifest, place).parse();
  const Value& input = model.values[static_cast<std::size_t>(model.input)];
  if (input.channels != 3 || input.pixel != 3 || input.width != manifest.input.width ||
      input.height != manifest.input.height) {
    throw Error(ErrorKind::bundle,
                place + ": its input has another shape than the manifest says; export the bundle again.");
  }
  return model;
}

}  // namespace nanoedge::native
