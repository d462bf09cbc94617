// nanoedge-stages BUNDLE STAGE: one stage of detection, or our own engine layer by layer, with marks around what
// tools/instructions counts.
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "arguments.hpp"
#include "bundle/bundle.hpp"
#include "nanoedge/detector.hpp"
#include "native/layers.hpp"
#include "picture_file.hpp"

namespace {

using namespace nanoedge;
using namespace nanoedge::apps;

// What follows belongs to `number`, or to nothing if it is 0: for tools/instructions/count.c, which sees this call. To
// the system it is a file that is not open.
void mark(int number) {
  constexpr long kNoSuchFile = 0x6e656d6b;
  syscall(SYS_write, kNoSuchFile, static_cast<long>(number), 0L);
}

// One line a layer, and marks from 1 on.
void run_layers(const std::string& folder, FilePrecision precision, const Picture& frame) {
  const std::unique_ptr<native::Layers> layers = native::Layers::load(folder, precision, "", 1);
  const native::Model& model = layers->model();
  const native::Value& input = model.values[static_cast<std::size_t>(model.input)];
  // What the picture shows does not change what is executed.
  std::vector<std::uint8_t> pixels(std::size_t{3} * static_cast<std::size_t>(input.width * input.height));
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = frame.pixels[i % frame.pixels.size()];
  layers->set_picture(pixels.data());
  layers->run();
  std::printf("kernels\t%s\n", layers->kernels().name);
  for (int number = 0; number < layers->count(); ++number) {
    mark(number + 1);
    layers->run_step(number);
    mark(0);
  }
  for (int number = 0; number < layers->count(); ++number) {
    const native::Layer layer = layers->layer(number);
    const native::Operation& operation = *layer.operation;
    std::printf("layer\t%s\t%s\t%d\t%dx%dx%d\t%llu\n", operation.name.c_str(), native::name_of(operation.kind),
                operation.kernel, layer.output->height, layer.output->width, layer.output->channels,
                static_cast<unsigned long long>(layer.multiply_adds));
  }
}

int stages(int count, char** words) {
  const Arguments arguments(count, words,
                            "usage: nanoedge-stages BUNDLE preprocess|forward|postprocess|detect|layers\n",
                            with_detector_options({{"engine", "NAME", "the engine; default: ncnn"},
                                                   {"compute", "NAME", "the compute precision; default: fp32"}}));
  if (arguments.plain().size() != 2) throw Error(ErrorKind::input, "Give BUNDLE and a stage; see --help.");
  const std::string& folder = arguments.plain()[0];
  const std::string& stage = arguments.plain()[1];
  Options options = arguments.detector_options();
  options.engine = arguments.text("engine", "ncnn");
  options.compute = compute_of(arguments.text("compute", "fp32"));
  options.threads = 1;
  const Bundle bundle = Bundle::open(folder);
  const Picture frame = camera_frame(read_picture(bundle.path(bundle.manifest().sample_picture)));
  if (stage == "layers") {
    run_layers(folder, options.precision, frame);
    return 0;
  }
  Detector detector = Detector::load(folder, options);
  std::vector<float> input(std::size_t{3} * detector.input_width() * detector.input_height());
  std::vector<float> output(static_cast<std::size_t>(detector.prior_count()) * detector.output_channels());
  std::vector<Detection> found;
  const Placement placement = detector.preprocess(frame.view(), input.data());
  detector.forward(input.data(), output.data());
  found = detector.postprocess(output.data(), placement);
  if (stage == "detect") detector.detect(frame.view(), found);
  mark(1);
  if (stage == "preprocess") {
    detector.preprocess(frame.view(), input.data());
  } else if (stage == "forward") {
    detector.forward(input.data(), output.data());
  } else if (stage == "postprocess") {
    found = detector.postprocess(output.data(), placement);
  } else if (stage == "detect") {
    detector.detect(frame.view(), found);
  } else {
    throw Error(ErrorKind::input, "Unknown stage '" + stage + "'; see --help.");
  }
  mark(0);
  std::printf("%zu found\n", found.size());
  return 0;
}

}  // namespace

int main(int count, char** words) {
  return run_main(stages, count, words);
}
