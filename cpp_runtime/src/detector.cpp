#include "nanoedge/detector.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include "bundle/bundle.hpp"
#include "cores.hpp"
#include "engines/engine.hpp"
#include "image/preprocess.hpp"
#include "options.hpp"
#include "postprocess/decode.hpp"

namespace nanoedge {
namespace {

constexpr std::int64_t kMaxPriors = 4'000'000;

using Clock = std::chrono::steady_clock;

double milliseconds_between(Clock::time_point start, Clock::time_point end) {
  return std::chrono::duration<double, std::milli>(end - start).count();
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
    const AffinityScope scope(engine_options_.cpus);
    Clock::time_point start = Clock::now();
    Placement placement;
    std::unique_lock<std::mutex> turn(turn_, std::defer_lock);
    if (!ahead_.ready.load(std::memory_order_relaxed) && turn.try_lock()) {
      placement = preprocessor_.run(planes, engine_->input());
    } else {
      placement = prepare_ahead(planes, turn, start);
    }
    const Clock::time_point prepared = Clock::now();
    engine_->run();
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
    return preprocessor_.run(planes, InputView::planes(input, plane_size()));
  }

  void forward(const float* input, float* output) {
    const std::lock_guard<std::mutex> turn(turn_);
    const AffinityScope scope(engine_options_.cpus);
    convert_planes(input, manifest().input, engine_->input());
    engine_->run();
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

  // Another thread's picture is in the network: this one is prepared meanwhile, in memory of its own. Takes the turn;
  // `start` leaves the waiting out.
  Placement prepare_ahead(const Planes& planes, std::unique_lock<std::mutex>& turn, Clock::time_point& start) {
    const std::lock_guard<std::mutex> next(ahead_.turn);
    start = Clock::now();
    const InputView input = engine_->input();
    // Before the preprocessor: it may throw, and the next call would not ask again.
    ahead_.input.resize(input_rows(input) * input.step * value_size(input));
    if (!ahead_.preprocessor) ahead_.preprocessor.emplace(manifest().input);
    const Placement placement = ahead_.preprocessor->run(planes, {ahead_.input.data(), input.step, input.form});
    const Clock::duration spent = Clock::now() - start;
    ahead_.ready = true;
    turn.lock();
    ahead_.ready = false;
    start = Clock::now() - spent;
    take_ahead(input);
    return placement;
  }

  // Rows of levels, or planes.
  std::size_t input_rows(const InputView& input) const {
    return input.form == InputView::Form::planes ? 3 : static_cast<std::size_t>(manifest().input.height);
  }
  // What a row, or plane, holds.
  std::size_t row_values(const InputView& input) const {
    return input.form == InputView::Form::planes ? plane_size() : 3 * static_cast<std::size_t>(manifest().input.width);
  }
  static std::size_t value_size(const InputView& input) {
    return input.form == InputView::Form::byte_levels ? 1 : sizeof(float);
  }

  // Nothing but the picture is written: there may be a border around it.
  void take_ahead(const InputView& input) {
    const std::size_t step = input.step * value_size(input), size = row_values(input) * value_size(input);
    for (std::size_t row = 0; row < input_rows(input); ++row) {
      std::memcpy(static_cast<char*>(input.data) + row * step, ahead_.input.data() + row * step, size);
    }
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
  std::mutex turn_;  // whose picture is in the network

  // The next picture, where several threads share the detector.
  struct Ahead {
    std::mutex turn;  // taken before turn_
    std::atomic<bool> ready{false};
    std::optional<Preprocessor> preprocessor;
    std::vector<char> input;  // as the engine's
  };
  Ahead ahead_;
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
