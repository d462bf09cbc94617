// manifest.json: its types, its schema, its digest.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nanoedge/detector.hpp"

namespace nanoedge {

inline constexpr const char* kManifestName = "manifest.json";
inline constexpr int kManifestVersion = 1;
inline constexpr std::size_t kMaxManifestBytes = 4'000'000;

enum class Resize { stretch, letterbox };

// How an image becomes the network's input [1, 3, height, width], float32, channels in the order B, G, R.
struct InputSpec {
  int width = 0, height = 0;
  Resize resize = Resize::stretch;
  int pad_value = 0;
  std::array<float, 3> mean{}, std{};
};

// How the output [priors, classes + 4 * (reg_max + 1)] becomes boxes: decoder type "nanodet-plus", scores as logits.
struct DecoderSpec {
  std::vector<int> strides;
  int reg_max = 0;
  float prior_offset = 0;

  // Number of priors of an input; each level's size is rounded up.
  std::int64_t prior_count(int width, int height) const;
};

struct PostprocessSpec {
  float score_threshold = 0, nms_iou = 0;
  int max_detections = 0;
  bool class_aware = true;
};

struct FileEntry {
  std::string sha256;
  std::uint64_t size = 0;
};

struct EngineEntry {
  std::string engine;
  FilePrecision precision = FilePrecision::float_;
  std::vector<std::string> files;
  std::string input;
  std::vector<std::string> outputs;
};

struct Manifest {
  std::string name;
  std::vector<std::string> classes;
  InputSpec input;
  DecoderSpec decoder;
  PostprocessSpec postprocess;
  std::vector<EngineEntry> engines;
  std::map<std::string, FileEntry> files;
  std::string sample_picture, sample_detections;

  int output_channels() const { return static_cast<int>(classes.size()) + 4 * (decoder.reg_max + 1); }
};

const char* name_of(FilePrecision precision) noexcept;

// Parses and checks a manifest; refuses what the Python package refuses. `place` names it in errors.
// Throws Error (bundle).
Manifest parse_manifest(std::string_view text, const std::string& place);

}  // namespace nanoedge
