// The public interface: a bundle that takes images and gives boxes.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nanoedge/error.hpp"
#include "nanoedge/image.hpp"

namespace nanoedge {

// Which of the bundle's files are run.
enum class FilePrecision { float_, int8 };

// What the engine calculates float layers in.
enum class ComputePrecision { fp32, fp16, bf16 };

// Which kind of cores of a CPU with several kinds runs the network. `auto_`: the big ones where others are clearly
// weaker (ARM's big.LITTLE) and no more threads are asked for than there are big ones; else all.
enum class Cores { auto_, all, big, little };

// How a bundle is run. What is not set comes from the bundle.
struct Options {
  std::string engine = "auto";  // "auto", "native", "ncnn" or "openvino"
  int threads = 0;              // CPU threads, 1..256; 0: one for each core of that kind
  FilePrecision precision = FilePrecision::float_;
  ComputePrecision compute = ComputePrecision::fp32;
  Cores cores = Cores::auto_;
  std::optional<float> score_threshold;  // 0..1; boxes above it are reported
  std::optional<float> nms_iou;          // 0..1; a box that overlaps a better one by more is dropped
  std::optional<int> max_detections;     // at least 1
  std::optional<bool> class_aware;       // compare only boxes of the same class in suppression
  std::vector<std::string> classes;      // report only these; empty: all
  std::string openvino_library;          // path of libopenvino_c; empty: searched for
};

// One box in pixels of the image, continuous coordinates, 0 <= x1 < x2 <= width.
struct Detection {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  float score = 0;   // 0..1
  int class_id = 0;  // index into Detector::classes()
};

// How long each stage of the last call took, in milliseconds.
struct Timing {
  double preprocess = 0, forward = 0, postprocess = 0;
  double total() const { return preprocess + forward + postprocess; }
};

// Where an image lies in the network's input: input = image * scale + shift, per axis.
struct Placement {
  float scale_x = 1, scale_y = 1, shift_x = 0, shift_y = 0;
  int image_width = 0, image_height = 0;
};

// Finds objects in images with one bundle on one engine.
//
// May be called from several threads; calls take turns at the network, and the next image is prepared meanwhile. After
// the first image no memory is allocated by NanoEdge's own code as long as the images' size stays the same and the
// result's vector is reused. One that was moved from may only be destroyed or assigned to.
class Detector {
 public:
  // Opens the bundle in `folder`, checks its files, and loads its network. Throws Error.
  static Detector load(const std::string& folder, const Options& options = {});

  Detector(Detector&&) noexcept;
  Detector& operator=(Detector&&) noexcept;
  ~Detector();

  // The boxes of one image, best score first. Throws Error (image) when the view describes no image.
  std::vector<Detection> detect(const ImageView& image, Timing* timing = nullptr);

  // The same into a vector that is reused.
  void detect(const ImageView& image, std::vector<Detection>& found, Timing* timing = nullptr);

  // Several images, one after the other; found[i] belongs to images[i].
  std::vector<std::vector<Detection>> detect_batch(const std::vector<ImageView>& images);

  const std::string& name() const;                  // of the bundle
  const std::vector<std::string>& classes() const;  // names, by class_id
  const std::string& engine() const;                // the engine that was chosen
  int threads() const;                              // how many CPU threads it uses
  int input_width() const;
  int input_height() const;
  int prior_count() const;      // rows of the raw output
  int output_channels() const;  // columns of the raw output

  // The three stages by themselves, for measuring and for comparing with other implementations.
  // `input` holds 3 x input_height x input_width floats, `output` prior_count x output_channels.
  Placement preprocess(const ImageView& image, float* input);
  void forward(const float* input, float* output);
  std::vector<Detection> postprocess(const float* output, const Placement& placement);

 private:
  class Impl;
  explicit Detector(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// NanoEdge's version, such as "0.1.0".
const char* version() noexcept;

}  // namespace nanoedge
