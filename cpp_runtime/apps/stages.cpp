// nanoedge-stages BUNDLE STAGE TIMES: one stage of detection, so many times. What two runs with different TIMES differ
// by is what the stage costs: tools/instructions.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "arguments.hpp"
#include "bundle/bundle.hpp"
#include "nanoedge/detector.hpp"
#include "picture_file.hpp"

namespace {

using namespace nanoedge;
using namespace nanoedge::apps;

int stages(int count, char** words) {
  const Arguments arguments(count, words, "usage: nanoedge-stages BUNDLE preprocess|forward|postprocess|detect TIMES\n",
                            with_detector_options({{"engine", "NAME", "the engine; default: ncnn"},
                                                   {"compute", "NAME", "the compute precision; default: fp32"}}));
  if (arguments.plain().size() != 3) throw Error(ErrorKind::input, "Give BUNDLE, a stage and a number; see --help.");
  const std::string& folder = arguments.plain()[0];
  const std::string& stage = arguments.plain()[1];
  const int times = std::max(0, std::atoi(arguments.plain()[2].c_str()));
  Options options = arguments.detector_options();
  options.engine = arguments.text("engine", "ncnn");
  options.compute = compute_of(arguments.text("compute", "fp32"));
  options.threads = 1;
  Detector detector = Detector::load(folder, options);
  const Bundle bundle = Bundle::open(folder);
  const Picture frame = camera_frame(read_picture(bundle.path(bundle.manifest().sample_picture)));

  std::vector<float> input(std::size_t{3} * detector.input_width() * detector.input_height());
  std::vector<float> output(static_cast<std::size_t>(detector.prior_count()) * detector.output_channels());
  std::vector<Detection> found;
  const Placement placement = detector.preprocess(frame.view(), input.data());
  detector.forward(input.data(), output.data());
  found = detector.postprocess(output.data(), placement);
  if (stage == "detect") detector.detect(frame.view(), found);
  for (int i = 0; i < times; ++i) {
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
  }
  std::printf("%zu found\n", found.size());
  return 0;
}

}  // namespace

int main(int count, char** words) {
  return run_main(stages, count, words);
}
