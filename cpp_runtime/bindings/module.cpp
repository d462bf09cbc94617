// nanoedge._runtime: translates between Python and the library, nothing more.
#include <map>
#include <optional>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bundle/manifest.hpp"
#include "cores.hpp"
#include "engines/engine.hpp"
#include "nanoedge/cpu.hpp"
#include "nanoedge/detector.hpp"
#include "native/kernels/choose.hpp"
#include "python.hpp"

namespace py = pybind11;
using nanoedge::ComputePrecision;
using nanoedge::Detection;
using nanoedge::Detector;
using nanoedge::Error;
using nanoedge::ErrorKind;
using nanoedge::ImageView;
using nanoedge::Options;
using nanoedge::PixelFormat;
using nanoedge::Placement;
using nanoedge::Timing;

namespace {

using FloatArray = py::array_t<float, py::array::c_style>;

const std::map<std::string, PixelFormat> kFormats = {
    {"bgr", PixelFormat::bgr},   {"rgb", PixelFormat::rgb},   {"bgra", PixelFormat::bgra}, {"gray", PixelFormat::gray},
    {"nv12", PixelFormat::nv12}, {"i420", PixelFormat::i420}, {"yuyv", PixelFormat::yuyv}};

const std::map<std::string, ComputePrecision> kComputes = {
    {"fp32", ComputePrecision::fp32}, {"fp16", ComputePrecision::fp16}, {"bf16", ComputePrecision::bf16}};

// A view on the array's pixels; the array is copied first when its pixels do not lie one after the other in each row.
// `kept` holds the array that the view points into.
ImageView view_of(const py::array& given, const std::string& format_name, py::array& kept) {
  ImageView view;
  view.format = choice(kFormats, format_name, "pixel format");
  const bool planar = view.format == PixelFormat::nv12 || view.format == PixelFormat::i420;
  const py::ssize_t channels = view.format == PixelFormat::bgra                                     ? 4
                               : view.format == PixelFormat::bgr || view.format == PixelFormat::rgb ? 3
                               : view.format == PixelFormat::yuyv                                   ? 2
                                                                                                    : 1;
  const bool dimensions = channels == 1 ? given.ndim() == 2 : given.ndim() == 3 && given.shape(2) == channels;
  const bool bytes = given.dtype().kind() == 'u' && given.itemsize() == 1;  // arrays from elsewhere have other objects
  if (!bytes || !dimensions || given.size() == 0 || (planar && given.shape(0) % 3 != 0)) {
    const std::string wanted = planar          ? "[height * 3 / 2, width]"
                               : channels == 1 ? "[height, width]"
                                               : "[height, width, " + std::to_string(channels) + "]";
    throw Error(ErrorKind::image, "A picture must be uint8 " + wanted + " for the pixel format " + format_name +
                                      ", not " + describe(given) + ".");
  }
  const auto lies_well = [&](const py::array& array) {
    const bool inner = channels == 1 || array.strides(2) == 1;
    return inner && array.strides(1) == channels &&
           (array.shape(0) == 1 || array.strides(0) >= channels * array.shape(1));
  };
  kept = lies_well(given) ? given : py::array_t<std::uint8_t, py::array::c_style | py::array::forcecast>(given);
  view.data = static_cast<const std::uint8_t*>(kept.data());
  view.width = static_cast<int>(std::min<py::ssize_t>(kept.shape(1), INT32_MAX));
  const py::ssize_t rows = std::min<py::ssize_t>(kept.shape(0), INT32_MAX);
  view.height = static_cast<int>(planar ? rows / 3 * 2 : rows);
  view.stride = rows == 1 ? channels * kept.shape(1) : kept.strides(0);
  if (planar && view.format == PixelFormat::i420) {
    // An array of full rows holds two rows of chroma in one of its rows: it must have no gaps.
    if (view.stride != kept.shape(1)) kept = py::array_t<std::uint8_t, py::array::c_style | py::array::forcecast>(kept);
    view.data = static_cast<const std::uint8_t*>(kept.data());
    view.stride = kept.shape(1);
  }
  return view;
}

py::tuple arrays_of(const std::vector<Detection>& found) {
  const auto count = static_cast<py::ssize_t>(found.size());
  py::array_t<float> boxes({count, py::ssize_t{4}}), scores(count);
  py::array_t<std::int64_t> classes(count);
  float* box = boxes.mutable_data();
  for (py::ssize_t i = 0; i < count; ++i) {
    const Detection& one = found[static_cast<std::size_t>(i)];
    box[4 * i] = one.x1, box[4 * i + 1] = one.y1, box[4 * i + 2] = one.x2, box[4 * i + 3] = one.y2;
    scores.mutable_data()[i] = one.score;
    classes.mutable_data()[i] = one.class_id;
  }
  return py::make_tuple(boxes, scores, classes);
}

Options options_of(const std::string& engine, int threads, const std::string& precision, const std::string& compute,
                   const std::string& cores, std::optional<float> score_threshold, std::optional<float> nms_iou,
                   std::optional<int> max_detections, std::optional<bool> class_aware,
                   const std::vector<std::string>& classes, const std::string& openvino_library) {
  using nanoedge::Cores;
  using nanoedge::FilePrecision;
  Options options;
  options.engine = engine;
  options.threads = threads;
  options.precision =
      choice<FilePrecision>({{"float", FilePrecision::float_}, {"int8", FilePrecision::int8}}, precision, "precision");
  options.compute = choice(kComputes, compute, "compute precision");
  options.cores =
      choice<Cores>({{"auto", Cores::auto_}, {"all", Cores::all}, {"big", Cores::big}, {"little", Cores::little}},
                    cores, "kind of cores");
  options.score_threshold = score_threshold;
  options.nms_iou = nms_iou;
  options.max_detections = max_detections;
  options.class_aware = class_aware;
  options.classes = classes;
  options.openvino_library = openvino_library;
  return options;
}

void need_shape(const FloatArray& array, const std::vector<py::ssize_t>& shape, const char* what) {
  const std::vector<py::ssize_t> found(array.shape(), array.shape() + array.ndim());
  if (found != shape) throw Error(ErrorKind::input, std::string("The ") + what + " is " + describe(array) + ".");
}

void set_python_error(const Error& error) {
  const char* name = error.kind() == ErrorKind::bundle   ? "BundleError"
                     : error.kind() == ErrorKind::engine ? "EngineError"
                                                         : "InputError";
  const py::object type = py::module_::import("nanoedge.errors").attr(name);
  // A hostile file's names need not be UTF-8.
  const std::string text = error.what();
  const auto message = py::reinterpret_steal<py::object>(
      PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "replace"));
  PyErr_SetObject(type.ptr(), message.ptr());
}

}  // namespace

PYBIND11_MODULE(_runtime, module) {
  module.doc() = "The C++ core: a bundle's network from pixels to boxes.";
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const Error& error) {
      set_python_error(error);
    }
  });

  py::class_<Detector>(module, "Detector")
      .def(py::init([](const std::string& folder, const std::string& engine, int threads, const std::string& precision,
                       const std::string& compute, const std::string& cores, std::optional<float> score_threshold,
                       std::optional<float> nms_iou, std::optional<int> max_detections, std::optional<bool> class_aware,
                       const std::vector<std::string>& classes, const std::string& openvino_library) {
             const Options options = options_of(engine, threads, precision, compute, cores, score_threshold, nms_iou,
                                                max_detections, class_aware, classes, openvino_library);
             std::optional<Detector> loaded;
             without_gil([&] { loaded.emplace(Detector::load(folder, options)); });
             return std::move(*loaded);
           }),
           py::arg("folder"), py::kw_only(), py::arg("engine") = "auto", py::arg("threads") = 0,
           py::arg("precision") = "float", py::arg("compute") = "fp32", py::arg("cores") = "auto",
           py::arg("score_threshold") = py::none(), py::arg("nms_iou") = py::none(),
           py::arg("max_detections") = py::none(), py::arg("class_aware") = py::none(),
           py::arg("classes") = std::vector<std::string>{}, py::arg("openvino_library") = "")
      .def(
          "detect",
          [](Detector& self, const py::array& picture, const std::string& format) {
            py::array kept;
            const ImageView view = view_of(picture, format, kept);
            Timing timing;
            std::vector<Detection> found;
            without_gil([&] { self.detect(view, found, &timing); });
            return py::make_tuple(arrays_of(found),
                                  py::make_tuple(timing.preprocess, timing.forward, timing.postprocess));
          },
          py::arg("picture"), py::arg("pixel_format") = "bgr")
      .def(
          "preprocess",
          [](Detector& self, const py::array& picture, const std::string& format) {
            py::array kept;
            const ImageView view = view_of(picture, format, kept);
            FloatArray tensor({1, 3, self.input_height(), self.input_width()});
            float* data = tensor.mutable_data();
            Placement placed;
            without_gil([&] { placed = self.preprocess(view, data); });
            return py::make_tuple(tensor, py::make_tuple(placed.scale_x, placed.scale_y, placed.shift_x, placed.shift_y,
                                                         placed.image_width, placed.image_height));
          },
          py::arg("picture"), py::arg("pixel_format") = "bgr")
      .def(
          "forward",
          [](Detector& self, const FloatArray& tensor) {
            need_shape(tensor, {1, 3, self.input_height(), self.input_width()}, "network's input");
            FloatArray output({1, self.prior_count(), self.output_channels()});
            const float* from = tensor.data();
            float* to = output.mutable_data();
            without_gil([&] { self.forward(from, to); });
            return output;
          },
          py::arg("tensor").noconvert())
      .def(
          "postprocess",
          [](Detector& self, const FloatArray& output,
             const std::tuple<float, float, float, float, int, int>& placement) {
            need_shape(output, {1, self.prior_count(), self.output_channels()}, "network's output");
            Placement placed;
            std::tie(placed.scale_x, placed.scale_y, placed.shift_x, placed.shift_y, placed.image_width,
                     placed.image_height) = placement;
            const float* data = output.data();
            std::vector<Detection> found;
            without_gil([&] { found = self.postprocess(data, placed); });
            return arrays_of(found);
          },
          py::arg("output").noconvert(), py::arg("placement"))
      .def_property_readonly("engine", &Detector::engine)
      .def_property_readonly("threads", &Detector::threads)
      .def_property_readonly("classes", &Detector::classes);

  module.def(
      "engines",
      [](const std::string& openvino_library) {
        py::dict engines;
        nanoedge::EngineOptions options;
        options.openvino_library = openvino_library;
        for (const nanoedge::EngineKind& kind : nanoedge::engine_kinds()) {
          std::string reason;
          const bool available = kind.is_available(options, &reason);
          engines[kind.name] = available ? "" : reason;
        }
        return engines;
      },
      py::arg("openvino_library") = "", "Engine to why it cannot be used; an empty text when it can.");
  module.def(
      "cpu_features",
      [] {
        py::list features;
        for (const nanoedge::CpuFeature& feature : nanoedge::cpu_features()) {
          features.append(
              py::make_tuple(feature.name, feature.used_for, feature.found, feature.found && feature.built));
        }
        return features;
      },
      "Instructions of this kind of CPU: (name, what they speed up, found, used).");
  module.def("has_vector_kernels", &nanoedge::native::has_vector_kernels,
             "Whether NanoEdge's own engine has better than its scalar kernels for this CPU.");
  module.def(
      "default_cpus",
      [](const std::vector<int>& usable, const std::string& root) {
        return nanoedge::cpus_of(nanoedge::Cores::auto_, usable, root.c_str());
      },
      py::arg("usable"), py::arg("root") = "/sys",
      "Those of these CPUs that a detector runs on where nothing is said.");
  module.def(
      "native_computes",
      [](const std::string& compute) {
        return nanoedge::native::can_compute(choice(kComputes, compute, "compute precision"));
      },
      py::arg("compute"), "Whether NanoEdge's own engine calculates float layers so on this CPU.");
  module.def(
      "check_manifest",
      [](const std::string& text, const std::string& place) { nanoedge::parse_manifest(text, place); }, py::arg("text"),
      py::arg("place"), "Refuse a manifest as loading a bundle would.");
  bind_native(module);
#if defined(NANOEDGE_WITHOUT_NCNN)
  module.attr("has_ncnn") = false;
#else
  module.attr("has_ncnn") = true;
#endif
  module.attr("__version__") = nanoedge::version();
}
