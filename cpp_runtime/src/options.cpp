#include "options.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "cores.hpp"

namespace nanoedge {
namespace {

constexpr int kMaxThreads = 256;

void check_fraction(const char* what, const std::optional<float>& value) {
  if (value && !(*value >= 0 && *value <= 1)) {
    throw Error(ErrorKind::input,
                std::string("The ") + what + " must be between 0 and 1, not " + std::to_string(*value) + ".");
  }
}

std::string known_engines() {
  std::string names = "auto";
  for (const EngineKind& kind : engine_kinds()) names += std::string(", ") + kind.name;
  return names;
}

}  // namespace

PostprocessSpec with_changes(PostprocessSpec spec, const Options& options) {
  check_fraction("score threshold", options.score_threshold);
  check_fraction("NMS IoU", options.nms_iou);
  if (options.max_detections && *options.max_detections < 1) {
    throw Error(ErrorKind::input,
                "The number of detections must be at least 1, not " + std::to_string(*options.max_detections) + ".");
  }
  spec.score_threshold = options.score_threshold.value_or(spec.score_threshold);
  spec.nms_iou = options.nms_iou.value_or(spec.nms_iou);
  spec.max_detections = options.max_detections.value_or(spec.max_detections);
  spec.class_aware = options.class_aware.value_or(spec.class_aware);
  return spec;
}

std::vector<std::uint8_t> class_mask(const std::vector<std::string>& names, const std::vector<std::string>& wanted) {
  if (wanted.empty()) return {};
  std::vector<std::uint8_t> mask(names.size(), 0);
  for (const std::string& name : wanted) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      std::string known;
      for (const std::string& other : names) known += (known.empty() ? "" : ", ") + other;
      throw Error(ErrorKind::input, "The bundle does not know the class '" + name + "'; it knows: " + known + ".");
    }
    mask[static_cast<std::size_t>(found - names.begin())] = 1;
  }
  return mask;
}

const EngineKind& choose_engine(const Bundle& bundle, const Options& options, const EngineOptions& engine_options) {
  const std::vector<EngineKind>& kinds = engine_kinds();
  std::string reason;
  if (options.engine != "auto") {
    const auto kind =
        std::find_if(kinds.begin(), kinds.end(), [&](const EngineKind& each) { return options.engine == each.name; });
    if (kind == kinds.end()) {
      throw Error(ErrorKind::input, "Unknown engine '" + options.engine + "'; known: " + known_engines() + ".");
    }
    bundle.entry(options.engine, options.precision);
    if (!kind->is_available(engine_options, &reason)) throw Error(ErrorKind::engine, reason);
    return *kind;
  }
  for (const EngineKind& kind : kinds) {
    if (bundle.find(kind.name, options.precision) != nullptr && kind.is_available(engine_options, &reason)) return kind;
  }
  if (!reason.empty()) throw Error(ErrorKind::engine, reason);
  throw Error(ErrorKind::bundle, bundle.folder() + " has no " + name_of(options.precision) +
                                     " model that this NanoEdge can run; it has " + bundle.offers() +
                                     ". Choose another precision, or export the bundle again.");
}

EngineOptions engine_options_of(const Options& options, const char* root) {
  if (options.threads < 0 || options.threads > kMaxThreads) {
    throw Error(ErrorKind::input, "The number of threads must be between 1 and " + std::to_string(kMaxThreads) +
                                      ", not " + std::to_string(options.threads) + ".");
  }
  const std::vector<int> usable = usable_cpus();
  std::vector<int> cpus = cpus_of(options.cores, usable, root);
  EngineOptions chosen;
  chosen.threads = options.threads > 0 ? options.threads : std::min(kMaxThreads, static_cast<int>(cpus.size()));
  if (options.cores == Cores::auto_ && static_cast<std::size_t>(chosen.threads) > cpus.size()) cpus = usable;
  if (cpus.size() < usable.size()) chosen.cpus = cpus;
  chosen.compute = options.compute;
  chosen.cores = options.cores;
  chosen.usable_cpus = usable;
  chosen.openvino_library = options.openvino_library;
  return chosen;
}

}  // namespace nanoedge
