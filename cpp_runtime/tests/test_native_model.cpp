#include <catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "manifest_text.hpp"
#include "native/kernels/choose.hpp"
#include "native/model.hpp"
#include "native/network.hpp"
#include "native_file.hpp"
#include "refusal.hpp"

using namespace nanoedge;
using native_file::kHeader;
using native_file::kOperation;
using native_file::kValue;

namespace {

const Manifest& manifest() {
  static const Manifest parsed = parse_manifest(signed_text(manifest_document()), "m.json");
  return parsed;
}

std::string refused(const Bytes& bytes) {
  return refusal([&] { native::read_model(bytes, manifest(), "x.bin"); });
}

// The good file with one number changed, its checksum made to fit.
template <class T>
std::string changed(std::size_t at, T value) {
  Bytes bytes = native_file::good();
  native_file::set<T>(bytes, at, value);
  return refused(native_file::sealed(bytes));
}

constexpr std::size_t value_at(int number) {
  return kHeader + static_cast<std::size_t>(number) * kValue;
}
constexpr std::size_t operation_at(int number) {
  return value_at(4) + static_cast<std::size_t>(number) * kOperation;
}

using Catch::Matchers::Contains;

}  // namespace

TEST_CASE("a network written by hand is read and run") {
  const Bytes bytes = native_file::good();
  const native::Model model = native::read_model(bytes, manifest(), "x.bin");
  for (const native::KernelTable& kernels : native::kernel_tables()) {
    if (!kernels.is_usable()) continue;
    native::Network network(model, bytes, kernels, native::Element::f32, 1);
    for (int i = 0; i < 32 * 64 * 3; ++i) network.input().f32(0, 0)[i] = static_cast<float>(i % 3 + 1);
    network.run();
    // Pooled pixels are 1, 2, 3; weights of channel c are (3 c + i) % 7 - 3, its bias is c.
    for (int row = 0; row < 34; ++row) {
      for (int c = 0; c < 34; ++c) {
        float expected = static_cast<float>(c);
        for (int i = 0; i < 3; ++i) expected += static_cast<float>((i + 1) * ((3 * c + i) % 7 - 3));
        REQUIRE(network.output()[static_cast<std::size_t>(row) * network.output_row() + static_cast<std::size_t>(c)] ==
                expected);
      }
    }
  }
}

TEST_CASE("a damaged, cut or newer file is refused with a sentence") {
  Bytes bytes = native_file::good();
  CHECK_THAT(refused({}), Contains("is no network of NanoEdge's own engine"));
  CHECK_THAT(refused(Bytes(bytes.begin(), bytes.end() - 1)), Contains("cut off"));
  CHECK_THAT(refused(Bytes(bytes.begin(), bytes.begin() + 40)), Contains("no network"));
  bytes[bytes.size() - 9] = static_cast<char>(bytes[bytes.size() - 9] ^ 4);
  CHECK_THAT(refused(bytes), Contains("checksum"));
  CHECK_THAT(changed<std::uint32_t>(8, 3), Contains("has version 3"));
  CHECK(refused(native_file::good()).empty());
}

TEST_CASE("a hostile file is refused, whatever it says") {
  CHECK_THAT(changed<std::uint64_t>(native_file::kArenaAt, std::uint64_t{1} << 40), Contains("more memory"));
  CHECK_THAT(changed<std::uint64_t>(native_file::kArenaAt, 64), Contains("does not fit"));
  CHECK_THAT(changed<std::uint32_t>(native_file::kValuesAt, 0xFFFFFFFFU), Contains("counts are impossible"));
  CHECK_THAT(changed<std::uint32_t>(native_file::kOperationsAt, 90'000), Contains("do not fit into the file"));
  CHECK_THAT(changed<std::uint32_t>(native_file::kInputAt, 4), Contains("counts are impossible"));
  CHECK_THAT(changed<std::uint32_t>(native_file::kInputAt, 1), Contains("write to what it reads"));
  CHECK_THAT(changed<std::uint64_t>(native_file::kOutputAt, 1 << 20), Contains("output does not fit"));
  CHECK_THAT(changed<std::uint64_t>(value_at(1), ~std::uint64_t{0} - 3), Contains("does not fit into the memory"));
  CHECK_THAT(changed<std::uint64_t>(value_at(1), 24578), Contains("does not fit into the memory"));  // not aligned
  CHECK_THAT(changed<std::uint32_t>(value_at(1) + 8, 0), Contains("impossible size"));
  CHECK_THAT(changed<std::uint32_t>(value_at(1) + 20, 2), Contains("impossible size"));  // pixels overlap
  CHECK_THAT(changed<std::uint32_t>(value_at(1) + 24, 8), Contains("rows of the map"));
  CHECK_THAT(changed<std::uint8_t>(value_at(1) + 28, 9), Contains("made of something unknown"));
  CHECK_THAT(changed<std::uint8_t>(value_at(0) + 40, 1), Contains("does not fit into the memory"));  // a border
  CHECK_THAT(changed<std::uint64_t>(value_at(1) + 48, 64), Contains("exponents of the map"));
  CHECK_THAT(changed<std::uint8_t>(operation_at(0), 0), Contains("does not know"));
  CHECK_THAT(changed<std::uint8_t>(operation_at(0), 99), Contains("does not know"));
  CHECK_THAT(changed<std::uint8_t>(operation_at(0) + 1, 99), Contains("activation"));
  CHECK_THAT(changed<std::uint8_t>(operation_at(0) + 2, 0), Contains("does not fit the maps"));
  CHECK_THAT(changed<std::uint8_t>(operation_at(0) + 3, 0), Contains("does not fit the maps"));
  CHECK_THAT(changed<float>(operation_at(0) + 8, NAN), Contains("slope"));
  CHECK_THAT(changed<std::uint32_t>(operation_at(0) + 12, 9), Contains("write outside"));
  CHECK_THAT(changed<std::uint32_t>(operation_at(0) + 12, 2), Contains("write outside"));
  CHECK_THAT(changed<std::uint32_t>(operation_at(0) + 16, 4), Contains("does not exist"));
  CHECK_THAT(changed<std::uint32_t>(operation_at(0) + 24, 0), Contains("does not fit the maps"));
  CHECK_THAT(changed<std::uint32_t>(operation_at(0) + 28, 6), Contains("name lies outside"));
  CHECK_THAT(changed<std::uint64_t>(operation_at(1) + 32, 0), Contains("lie outside the file"));
  CHECK_THAT(changed<std::uint64_t>(operation_at(1) + 32, ~std::uint64_t{0} - 3), Contains("lie outside the file"));
  CHECK_THAT(changed<std::uint64_t>(operation_at(1) + 40, 2000), Contains("lie outside the file"));
  CHECK_THAT(changed<std::uint8_t>(operation_at(1) + 56, 2), Contains("wrong kind"));
  CHECK_THAT(changed<std::uint8_t>(operation_at(1) + 4, 1),
             Contains("does not fit the maps"));  // pads without a border
}

TEST_CASE("an operation whose output lies in its input is refused") {
  std::uint64_t pooled = 0;
  const Bytes good = native_file::good();
  std::memcpy(&pooled, good.data() + value_at(1), sizeof pooled);
  REQUIRE(pooled == 64 * 32 * 3 * 4);  // right behind the picture
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{4}, pooled - 4}) {
    CHECK_THAT(changed<std::uint64_t>(value_at(1), offset), Contains("write to what it reads"));
  }
}

TEST_CASE("channels of one pixel may be read while others are written") {
  // What the convolution reads lies behind its output's 34 channels, in the same pixels of 48.
  Bytes bytes = native_file::good();
  std::uint64_t output = 0;
  std::memcpy(&output, bytes.data() + value_at(2), sizeof output);
  native_file::set<std::uint64_t>(bytes, value_at(1), output + 34 * 4);
  native_file::set<std::uint32_t>(bytes, value_at(1) + 20, 48);
  native_file::set<std::uint32_t>(bytes, value_at(1) + 24, 8 * 48);
  native_file::set<std::uint32_t>(bytes, operation_at(1) + 12, 34);  // room: up to what is read
  CHECK(refused(native_file::sealed(bytes)).empty());
  native_file::set<std::uint32_t>(bytes, operation_at(1) + 12, 35);
  CHECK_THAT(refused(native_file::sealed(bytes)), Contains("write to what it reads"));
}

TEST_CASE("exponents of a map are kept, and lie inside the file") {
  const Bytes good = native_file::good();
  const std::uint64_t last = (good.size() - 34) / 4 * 4;  // the map has 34 channels
  const auto with = [&](std::uint64_t offset) {
    Bytes bytes = good;
    native_file::set<std::uint64_t>(bytes, value_at(2) + 48, offset);
    return native_file::sealed(bytes);
  };
  CHECK(native::read_model(good, manifest(), "x.bin").values[2].exponents.empty());
  const Bytes bytes = with(last);
  const native::Model model = native::read_model(bytes, manifest(), "x.bin");
  REQUIRE(model.values[2].exponents.size() == 34);
  CHECK(std::memcmp(model.values[2].exponents.data(), bytes.data() + last, 34) == 0);
  for (const std::uint64_t offset : {last + 4, last + 1, good.size(), std::uint64_t{64}, ~std::uint64_t{0} - 3}) {
    CHECK_THAT(refused(with(offset)), Contains("exponents of the map"));
  }
}

TEST_CASE("a bias that is not a number is refused") {
  const Bytes good = native_file::good();
  std::uint64_t bias = 0;
  std::memcpy(&bias, good.data() + operation_at(1) + 40, sizeof bias);
  CHECK_THAT(changed<float>(bias + 4 * 33, NAN), Contains("not a number"));
  CHECK(changed<float>(bias + 4 * 34, NAN).empty());  // behind the last channel
}

TEST_CASE("no single changed byte crashes the reader") {
  const Bytes good = native_file::good();
  for (std::size_t at = 24; at < operation_at(3) + 6; ++at) {
    for (const int bit : {0, 3, 7}) {
      Bytes bytes = good;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
      bytes = native_file::sealed(bytes);
      try {
        const native::Model model = native::read_model(bytes, manifest(), "x.bin");
        native::Network(model, bytes, native::kernel_tables().back(), native::Element::f32, 1).run();
      } catch (const Error&) {
      }
    }
  }
}
