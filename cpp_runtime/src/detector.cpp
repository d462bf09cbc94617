#include "nanoedge/detector.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <mutex>
#include <utility>

#include "bundle/bundle.hpp"
#include "cores.hpp"
#include "engines/engine.hpp"
#include "image/preprocess.hpp"
#include "postprocess/decode.hpp"

namespace nanoedge {
namespace {

constexpr int kMaxThreads = 256;
constexpr std::int64_t kMaxPriors = 4'000'000;

using Clock = std::chrono::steady_clock;

double milliseconds_between(Clock::time_point start, Clock::time_point end) {
  return std::chrono::duration<double, std::milli>(end - start).count();
}

void check_fraction(const char* what, const std::optional<float>& value) {
  if (value && !(*value >= 0 && *value <= 1)) {
    throw Error(ErrorKind::input,
                std::string("The ") + what + " must be between 0 and 1, not " + std::to_string(*value) + ".");
  }
}

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

std::string known_engines() {
  std::string names = "auto";
  for (const EngineKind& kind : engine_kinds()) names += std::string(", ") + kind.name;
  return names;
}

// The engine that was asked for, or for "auto" the first that the bundle has and that is there.
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
                                     " model for an engine that this NanoEdge knows (" + known_engines() +
                                     "); export it again, or update NanoEdge.");
}

EngineOptions engine_options_of(const Options& options) {
  if (options.threads < 0 || options.threads > kMaxThreads) {
    throw Error(ErrorKind::input, "The number of threads must be between 1 and " + std::to_string(kMaxThreads) +
                                      ", not " + std::to_string(options.threads) + ".");
  }
  EngineOptions chosen;
  const std::vector<int> cpus = cpus_of(options.cores, usable_cpus());
  chosen.threads = options.threads > 0 ? options.threads : std::min(kMaxThreads, static_cast<int>(cpus.size()));
  chosen.compute = options.compute;
  chosen.cores = options.cores;
  chosen.usable_cpus = usable_cpus();
  if (options.cores != Cores::all) chosen.cpus = cpus;
  chosen.openvino_library = options.openvino_library;
  return chosen;
}

}  // namespace

class Detector::Impl {
 public:
  Impl(Bundle bundle, const Options& options)
      : bundle_(std::move(bundle)),
        postprocess_(with_changes(manifest().postprocess, options)),
        wanted_(class_mask(manifest().classes, options.classes)),
        engine_options_(engine_options_of(options)),
        preprocessor_(manifest().input),
        decoder_((check_size(), manifest().input), manifest().decoder, static_cast<int>(manifest().classes.size())) {
    const EngineKind& kind = choose_engine(bundle_, options, engine_options_);
    engine_name_ = kind.name;
    bundle_.read(manifest().sample_picture);
    bundle_.read(manifest().sample_detections);
    const AffinityScope scope(engine_options_.cpus);
    engine_ = kind.load(bundle_, bundle_.entry(engine_name_, options.precision), engine_options_);
  }

  void detect(const ImageView& image, std::vector<Detection>& found, Timing* timing) {
    const Planes planes = check_image(image);
    const std::lock_guard<std::mutex> turn(turn_);
    const Clock::time_point start = Clock::now();
    const Placement placement = preprocessor_.run(planes, engine_->input());
    const Clock::time_point prepared = Clock::now();
    run_engine();
    const Clock::time_point calculated = Clock::now();
    decode(engine_->output(), placement, found);
    if (timing != nullptr) {
      timing->preprocess = milliseconds_between(start, prepared);
      timing->forward = milliseconds_between(prepared, calculated);
      timing->postprocess = milliseconds_between(calculated, Clock::now());
    }
  }

  Placement preprocess(const ImageView& image, float* input) {
    const Planes planes = check_image(image);
    const std::lock_guard<std::mutex> turn(turn_);
    return preprocessor_.run(planes, {input, plane_size()});
  }

  void forward(const float* input, float* output) {
    const std::lock_guard<std::mutex> turn(turn_);
    const PlanarView target = engine_->input();
    for (std::size_t c = 0; c < 3; ++c) {
      std::memcpy(target.data + c * target.plane, input + c * plane_size(), plane_size() * sizeof(float));
    }
    run_engine();
    const OutputView result = engine_->output();
    const auto channels = static_cast<std::size_t>(manifest().output_channels());
    for (std::size_t prior = 0; prior < decoder_.prior_count(); ++prior) {
      std::memcpy(output + prior * channels, result.data + prior * result.stride, channels * sizeof(float));
    }
  }

  std::vector<Detection> postprocess(const float* output, const Placement& placement) {
    std::vector<Detection> found;
    const std::lock_guard<std::mutex> turn(turn_);
    decode({output, static_cast<std::size_t>(manifest().output_channels())}, placement, found);
    return found;
  }

  const Manifest& manifest() const { return bundle_.manifest(); }
  const std::string& engine_name() const { return engine_name_; }
  int threads() const { return engine_options_.threads; }
  std::size_t prior_count() const { return decoder_.prior_count(); }

 private:
  void check_size() const {
    const Manifest& m = manifest();
    if (m.decoder.prior_count(m.input.width, m.input.height) > kMaxPriors) {
      throw Error(ErrorKind::bundle, bundle_.folder() + " asks for more priors than any network has.");
    }
  }

  std::size_t plane_size() const {
    return static_cast<std::size_t>(manifest().input.width) * static_cast<std::size_t>(manifest().input.height);
  }

  void run_engine() {
    const AffinityScope scope(engine_options_.cpus);
    engine_->run();
  }

  void decode(const OutputView& output, const Placement& placement, std::vector<Detection>& found) {
    candidates_.clear();
    decoder_.decode(output, placement, postprocess_.score_threshold, wanted_, candidates_);
    const auto limit = static_cast<std::size_t>(postprocess_.max_detections);
    candidates_.suppress(postprocess_.nms_iou, postprocess_.class_aware, limit, found);
  }

  Bundle bundle_;
  PostprocessSpec postprocess_;
  std::vector<std::uint8_t> wanted_;
  EngineOptions engine_options_;
  std::string engine_name_;
  Preprocessor preprocessor_;
  NanodetPlusDecoder decoder_;
  Candidates candidates_;
  std::unique_ptr<Engine> engine_;
  std::mutex turn_;
};

Detector::Detector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Detector::Detector(Detector&&) noexcept = default;
Detector& Detector::operator=(Detector&&) noexcept = default;
Detector::~Detector() = default;

Detector Detector::load(const std::string& folder, const Options& options) {
  return Detector(std::make_unique<Impl>(Bundle::open(folder), options));
}

void Detector::detect(const ImageView& image, std::vector<Detection>& found, Timing* timing) {
  impl_->detect(image, found, timing);
}

std::vector<Detection> Detector::detect(const ImageView& image, Timing* timing) {
  std::vector<Detection> found;
  impl_->detect(image, found, timing);
  return found;
}

std::vector<std::vector<Detection>> Detector::detect_batch(const std::vector<ImageView>& images) {
  std::vector<std::vector<Detection>> found(images.size());
  for (std::size_t i = 0; i < images.size(); ++i) impl_->detect(images[i], found[i], nullptr);
  return found;
}

const std::string& Detector::name() const {
  return impl_->manifest().name;
}
const std::vector<std::string>& Detector::classes() const {
  return impl_->manifest().classes;
}
const std::string& Detector::engine() const {
  return impl_->engine_name();
}
int Detector::threads() const {
  return impl_->threads();
}
int Detector::input_width() const {
  return impl_->manifest().input.width;
}
int Detector::input_height() const {
  return impl_->manifest().input.height;
}
int Detector::prior_count() const {
  return static_cast<int>(impl_->prior_count());
}
int Detector::output_channels() const {
  return impl_->manifest().output_channels();
}

Placement Detector::preprocess(const ImageView& image, float* input) {
  return impl_->preprocess(image, input);
}
void Detector::forward(const float* input, float* output) {
  impl_->forward(input, output);
}
std::vector<Detection> Detector::postprocess(const float* output, const Placement& placement) {
  return impl_->postprocess(output, placement);
}

const char* version() noexcept {
  return NANOEDGE_VERSION;
}

}  // namespace nanoedge
