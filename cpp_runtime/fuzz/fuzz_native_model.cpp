// A network of our own engine whose size and checksum are made to fit, so that the rest is looked at. What passes the
// checks is run by every kernel that this CPU has, under the sanitizers.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "manifest_text.hpp"
#include "native/kernels/choose.hpp"
#include "native/model.hpp"
#include "native/network.hpp"
#include "native_file.hpp"

namespace {

using namespace nanoedge;

constexpr std::uint64_t kMostMemory = std::uint64_t{1} << 22, kMostWork = std::uint64_t{1} << 24;

const Manifest& manifest() {
  static const Manifest parsed = parse_manifest(signed_text(manifest_document()), "manifest.json");
  return parsed;
}

// About how many multiply-adds a run takes, with channels as the widest kernels round them.
std::uint64_t work_of(const native::Model& model) {
  std::uint64_t work = 0;
  for (const native::Operation& operation : model.operations) {
    const native::Value& in = model.values[static_cast<std::size_t>(operation.input)];
    const native::Value& out = model.values[static_cast<std::size_t>(operation.output)];
    const bool averages = operation.kind == native::Kind::global_average;
    const native::Value& walked = averages ? in : out;
    const auto height = static_cast<std::uint64_t>(walked.height + walked.border_top + walked.border_bottom);
    const auto width = static_cast<std::uint64_t>(walked.width + walked.border_left + walked.border_right);
    const auto channels = static_cast<std::uint64_t>(out.channels + native::kWidestBlock);
    const bool looks_around = operation.has_weights() || operation.kind == native::Kind::max_pool;
    const auto taps = static_cast<std::uint64_t>(looks_around ? operation.kernel * operation.kernel : 1);
    const auto inputs = static_cast<std::uint64_t>(operation.kind == native::Kind::convolution ? in.channels : 1);
    work += height * width * channels * taps * inputs;
  }
  return work;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, data + size);
  if (bytes.empty()) bytes = native_file::good();  // where a fuzzer without a corpus begins
  bytes = native_file::sealed(bytes);
  try {
    const native::Model model = native::read_model(bytes, manifest(), "model.native.bin");
    if (model.arena > kMostMemory || work_of(model) > kMostWork) return 0;  // only slow
    for (const native::KernelTable& kernels : native::kernel_tables()) {
      if (!kernels.is_usable()) continue;
      native::Network(model, bytes, kernels, native::Element::f32, 1).run();
      for (const native::Element floats : {native::Element::bf16, native::Element::f16}) {
        if (kernels.half(floats) != nullptr) native::Network(model, bytes, kernels, floats, 1).run();
      }
    }
  } catch (const Error&) {
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

// Weights are most of a file and seldom lead anywhere new: most changes are made within one record, so that the others
// stay where they are.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most, unsigned seed) {
  using native_file::kHeader, native_file::kValue, native_file::kOperation;
  std::uint32_t values = 0, operations = 0;
  if (size >= kHeader) {
    std::memcpy(&values, data + native_file::kValuesAt, sizeof values);
    std::memcpy(&operations, data + native_file::kOperationsAt, sizeof operations);
  }
  const std::uint64_t end = kHeader + std::uint64_t{values} * kValue + std::uint64_t{operations} * kOperation;
  if (seed % 8 == 0 || end > size) return LLVMFuzzerMutate(data, size, most);
  const std::uint64_t number = seed / 8 % (1 + std::uint64_t{values} + operations);
  std::uint64_t at = 0, length = kHeader;
  if (number > values) {
    at = kHeader + values * kValue + (number - values - 1) * kOperation, length = kOperation;
  } else if (number > 0) {
    at = kHeader + (number - 1) * kValue, length = kValue;
  }
  std::uint8_t record[kOperation];
  static_assert(kHeader <= kOperation && kValue <= kOperation);
  std::memcpy(record, data + at, length);
  std::memcpy(data + at, record, LLVMFuzzerMutate(record, length, length));
  return size;
}
