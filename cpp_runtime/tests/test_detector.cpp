// The whole way on a real bundle: the variable NANOEDGE_TEST_BUNDLE names one that holds native, ncnn and OpenVINO.
#include <catch.hpp>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <random>
#include <thread>
#include <vector>

#include "nanoedge/detector.hpp"
#include "refusal.hpp"

using namespace nanoedge;

namespace {

#if defined(NANOEDGE_WITHOUT_NCNN)
constexpr const char* kEngine = "native";
#else
constexpr const char* kEngine = "ncnn";
#endif

std::atomic<long> allocations{0};

const char* bundle() {
  return std::getenv("NANOEDGE_TEST_BUNDLE");
}

std::vector<std::uint8_t> noise(int width, int height, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(3 * width * height));
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

ImageView view_of(const std::vector<std::uint8_t>& bytes, int width, int height) {
  ImageView view;
  view.data = bytes.data(), view.width = width, view.height = height, view.size = bytes.size();
  return view;
}

Options options_for(const char* engine) {
  Options options;
  options.engine = engine, options.threads = 1, options.score_threshold = 0.05F;
  return options;
}

bool same(const std::vector<Detection>& one, const std::vector<Detection>& other) {
  if (one.size() != other.size()) return false;
  for (std::size_t i = 0; i < one.size(); ++i) {
    const Detection &a = one[i], &b = other[i];
    if (a.x1 != b.x1 || a.y1 != b.y1 || a.x2 != b.x2 || a.y2 != b.y2 || a.score != b.score ||
        a.class_id != b.class_id) {
      return false;
    }
  }
  return true;
}

}  // namespace

// Every allocation of C++ code in this process is counted; engines allocate by malloc and are not.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size > 0 ? size : 1);
}
void* operator new(std::size_t size) {
  if (void* memory = operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

TEST_CASE("a folder that is no bundle is refused") {
  CHECK_THAT(refusal([] { Detector::load("/nowhere"); }), Catch::Contains("There is no bundle /nowhere"));
  CHECK_THAT(refusal([] { Detector::load("/tmp"); }), Catch::Contains("has no manifest.json"));
}

TEST_CASE("a bundle detects on each engine, the same each time, stage by stage too") {
  if (bundle() == nullptr) {
    WARN("skipped: NANOEDGE_TEST_BUNDLE is not set");
    return;
  }
  const auto bytes = noise(200, 150);
  const ImageView view = view_of(bytes, 200, 150);
  std::vector<std::string> engines = {"native"};
#if !defined(NANOEDGE_WITHOUT_NCNN)
  engines.emplace_back("ncnn");
#endif
#if !defined(NANOEDGE_WITHOUT_OPENVINO)
  engines.emplace_back("openvino");
#endif
  for (const std::string& engine : engines) {
    if (engine == "openvino" && std::getenv("NANOEDGE_OPENVINO") == nullptr) {
      WARN("skipped: NANOEDGE_OPENVINO is not set");
      continue;
    }
    Detector detector = Detector::load(bundle(), options_for(engine.c_str()));
    CHECK(detector.engine() == engine);
    CHECK(detector.threads() == 1);
    Timing timing;
    const auto found = detector.detect(view, &timing);
    CHECK(timing.forward > 0);
    CHECK(same(found, detector.detect(view)));
    CHECK(same(found, detector.detect_batch({view, view})[1]));
    if (engine == "native") continue;  // takes grey levels: normalized ones are rounded on their way there
    std::vector<float> input(static_cast<std::size_t>(3 * detector.input_width() * detector.input_height()));
    std::vector<float> output(static_cast<std::size_t>(detector.prior_count() * detector.output_channels()));
    const Placement placement = detector.preprocess(view, input.data());
    detector.forward(input.data(), output.data());
    CHECK(same(found, detector.postprocess(output.data(), placement)));
  }
}

TEST_CASE("after the first frame NanoEdge's own code allocates nothing") {
  if (bundle() == nullptr) return;
  const auto bytes = noise(200, 150);
  const ImageView view = view_of(bytes, 200, 150);
  Options options = options_for(kEngine);
  options.score_threshold = 0.F;  // as many candidates as there can be
  Detector detector = Detector::load(bundle(), options);
  std::vector<Detection> found;
  detector.detect(view, found);
  std::vector<float> input(static_cast<std::size_t>(3 * detector.input_width() * detector.input_height()));
  std::vector<float> output(static_cast<std::size_t>(detector.prior_count() * detector.output_channels()));
  const Placement placement = detector.preprocess(view, input.data());
  detector.forward(input.data(), output.data());
  const long before = allocations;
  for (int i = 0; i < 5; ++i) detector.preprocess(view, input.data());
  CHECK(allocations == before);
  detector.postprocess(output.data(), placement);
  const long own = allocations - before;
  CHECK(own <= 8);  // the returned vector grows; the list of candidates does not
}

TEST_CASE("one detector serves several threads with right answers") {
  if (bundle() == nullptr) return;
  Detector detector = Detector::load(bundle(), options_for(kEngine));
  std::vector<std::vector<std::uint8_t>> images;
  std::vector<std::vector<Detection>> wanted;
  for (unsigned i = 0; i < 4; ++i) {
    images.push_back(noise(64 + 40 * static_cast<int>(i), 80, i));
    wanted.push_back(detector.detect(view_of(images.back(), 64 + 40 * static_cast<int>(i), 80)));
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const int i = t % 4;
      for (int round = 0; round < 5; ++round) {
        if (!same(detector.detect(view_of(images[i], 64 + 40 * i, 80)), wanted[i])) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("options out of their range are refused") {
  if (bundle() == nullptr) return;
  const auto refused = [](const std::function<void(Options&)>& change) {
    Options options;
    change(options);
    return refusal([&] { Detector::load(bundle(), options); });
  };
  CHECK_THAT(refused([](Options& o) { o.engine = "magic"; }), Catch::Contains("Unknown engine 'magic'; known: auto,"));
  CHECK_THAT(refused([](Options& o) { o.threads = -1; }), Catch::Contains("between 1 and 256"));
  CHECK_THAT(refused([](Options& o) { o.threads = 1000; }), Catch::Contains("between 1 and 256"));
  CHECK_THAT(refused([](Options& o) { o.score_threshold = 1.5F; }), Catch::Contains("score threshold"));
  CHECK_THAT(refused([](Options& o) { o.nms_iou = -1.F; }), Catch::Contains("NMS IoU"));
  CHECK_THAT(refused([](Options& o) { o.max_detections = 0; }), Catch::Contains("number of detections"));
  CHECK_THAT(refused([](Options& o) { o.classes = {"unicorn"}; }),
             Catch::Contains("does not know the class 'unicorn'"));
  CHECK_THAT(refused([](Options& o) { o.precision = FilePrecision::int8; }), Catch::Contains("int8"));
#if defined(NANOEDGE_WITHOUT_OPENVINO)
  CHECK_THAT(refused([](Options& o) { o.engine = "openvino"; }), Catch::Contains("without the engine openvino"));
#else
  CHECK_THAT(refused([](Options& o) { o.engine = "openvino", o.openvino_library = "/nowhere.so"; }),
             Catch::Contains("pip install openvino"));
#endif
#if defined(NANOEDGE_WITHOUT_NCNN)
  CHECK_THAT(refused([](Options& o) { o.engine = "ncnn"; }), Catch::Contains("without the engine ncnn"));
  CHECK(Detector::load(bundle(), {}).engine() == "native");
#elif defined(__x86_64__)
  CHECK_THAT(refused([](Options& o) { o.engine = "ncnn", o.compute = ComputePrecision::fp16; }),
             Catch::Contains("only on ARM"));
#endif
}
