// A small network of our own engine, written by hand: what the compiler writes, in C++.
#pragma once

#include <cstring>

#include "native/model.hpp"

namespace native_file {

using nanoedge::Bytes;

template <class T>
void put(Bytes& bytes, T value) {
  const auto* from = reinterpret_cast<const char*>(&value);
  bytes.insert(bytes.end(), from, from + sizeof value);
}

template <class T>
void set(Bytes& bytes, std::size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

constexpr std::size_t kHeader = 84, kValue = 56, kOperation = 88;
constexpr std::size_t kArenaAt = 24, kValuesAt = 32, kOperationsAt = 36, kInputAt = 44, kOutputAt = 56;

// Makes size and checksum fit the bytes.
inline Bytes sealed(Bytes bytes) {
  if (bytes.size() < kHeader) return bytes;
  set<std::uint64_t>(bytes, 16, bytes.size());
  set<std::uint32_t>(bytes, 12, nanoedge::native::checksum_of(bytes));
  return bytes;
}

inline void put_value(Bytes& bytes, std::uint64_t offset, int channels, int height, int width, int pixel, int row) {
  put<std::uint64_t>(bytes, offset);
  for (const int number : {channels, height, width, pixel, row}) put<std::uint32_t>(bytes, number);
  put<std::uint32_t>(bytes, 0);  // float32
  put<float>(bytes, 1);
  put<std::uint32_t>(bytes, 0);
  put<std::uint32_t>(bytes, 0);  // no border
  put<std::uint32_t>(bytes, 0);
  put<std::uint64_t>(bytes, 0);  // no exponents
}

// The picture 64x32 of the tests' manifest, max-pooled to 8x4, convolved to the 34 channels of stride 8, pooled again
// to stride 32: 34 rows of output in all.
inline Bytes good() {
  Bytes bytes;
  const char magic[] = {'N', 'E', 'n', 'a', 't', 'i', 'v', 'e'};
  bytes.insert(bytes.end(), magic, magic + sizeof magic);
  put<std::uint32_t>(bytes, 2);  // version
  put<std::uint32_t>(bytes, 0);
  put<std::uint64_t>(bytes, 0);
  const std::uint64_t pooled = 64 * 32 * 3 * 4, output = pooled + 8 * 4 * 8 * 4;
  put<std::uint64_t>(bytes, output + 34 * 48 * 4);
  const std::string names = std::string("small") + '\0';
  for (const std::size_t number : {std::size_t{4}, std::size_t{3}, names.size(), std::size_t{0}}) {
    put<std::uint32_t>(bytes, static_cast<std::uint32_t>(number));
  }
  put<std::uint32_t>(bytes, 34);  // priors
  put<std::uint32_t>(bytes, 34);  // channels
  put<std::uint64_t>(bytes, output);
  put<std::uint32_t>(bytes, 48);
  put<std::uint32_t>(bytes, 0);
  for (int c = 0; c < 3; ++c) put<float>(bytes, 0);
  put_value(bytes, 0, 3, 32, 64, 3, 3 * 64);
  put_value(bytes, pooled, 3, 4, 8, 8, 8 * 8);
  put_value(bytes, output, 34, 4, 8, 48, 8 * 48);
  put_value(bytes, output + 32 * 48 * 4, 34, 1, 2, 48, 2 * 48);
  const std::uint64_t records = kHeader + 4 * kValue + 3 * kOperation + names.size(), data = (records + 63) / 64 * 64;
  const auto put_operation = [&](int kind, int kernel, int stride, int room, int in, int out, bool weights) {
    for (const int byte : {kind, 0, kernel, stride, 0, 0, 0, 0})
      put<std::uint8_t>(bytes, static_cast<std::uint8_t>(byte));
    put<float>(bytes, 0);
    put<std::uint32_t>(bytes, room);
    put<std::uint32_t>(bytes, in);
    put<std::uint32_t>(bytes, 0xFFFFFFFFU);
    put<std::uint32_t>(bytes, out);
    put<std::uint32_t>(bytes, 0);
    put<std::uint64_t>(bytes, weights ? data : 0);
    put<std::uint64_t>(bytes, weights ? data + 448 : 0);
    put<std::uint64_t>(bytes, 0);
    put<std::uint64_t>(bytes, 0);
    for (int i = 0; i < 6; ++i) put<float>(bytes, 0);
  };
  put_operation(3, 8, 8, 8, 0, 1, false);
  put_operation(1, 1, 1, 48, 1, 2, true);
  put_operation(3, 4, 4, 48, 2, 3, false);
  bytes.insert(bytes.end(), names.begin(), names.end());
  bytes.resize(data);
  for (int i = 0; i < 112; ++i) put<float>(bytes, static_cast<float>(i % 7) - 3);  // 34 x 3 weights, padded
  for (int i = 0; i < 48; ++i) put<float>(bytes, static_cast<float>(i));           // biases
  return sealed(bytes);
}

}  // namespace native_file
