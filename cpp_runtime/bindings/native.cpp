// nanoedge._runtime.NativeNetwork: a network of our engine, step by step.
#include <cmath>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "native/layers.hpp"
#include "native/peak.hpp"
#include "python.hpp"

namespace py = pybind11;
using nanoedge::Error;
using nanoedge::ErrorKind;
using nanoedge::FilePrecision;
using nanoedge::native::Element;
using nanoedge::native::Layer;
using nanoedge::native::Layers;
using nanoedge::native::Stored;
using nanoedge::native::Value;

namespace {

const std::map<std::string, Element> kElements = {{"float32", Element::f32}, {"uint8", Element::u8}};

const char* name_of(Element element) {
  return element == Element::f32 ? "float32" : "uint8";
}

// Takes turns: its memory holds one picture.
struct NativeNetwork {
  std::unique_ptr<Layers> layers;
  std::mutex turn;

  const Value& picture() const { return layers->model().values[static_cast<std::size_t>(layers->model().input)]; }
};

using Picture = py::array_t<std::uint8_t, py::array::c_style | py::array::forcecast>;

// The picture's bytes, one pixel behind the other.
Picture checked(const NativeNetwork& network, const py::array& given) {
  const Value& wanted = network.picture();
  const bool fits = given.dtype().kind() == 'u' && given.itemsize() == 1 && given.ndim() == 3 &&
                    given.shape(0) == wanted.height && given.shape(1) == wanted.width && given.shape(2) == 3;
  if (!fits) {
    throw Error(ErrorKind::image, "The picture must be uint8 [" + std::to_string(wanted.height) + ", " +
                                      std::to_string(wanted.width) + ", 3], as large as the network's input, not " +
                                      describe(given) + ".");
  }
  return Picture(given);
}

// What the stored values of each channel are multiplied by; empty: by nothing.
py::array_t<float> factors_of(const Value& value) {
  py::array_t<float> factors(static_cast<py::ssize_t>(value.exponents.size()));
  float* to = factors.mutable_data();
  for (const std::uint8_t exponent : value.exponents) *to++ = std::exp2(-static_cast<float>(exponent) / 8.F);
  return factors;
}

py::list steps_of(const NativeNetwork& network) {
  py::list steps;
  for (int number = 0; number < network.layers->count(); ++number) {
    const Layer layer = network.layers->layer(number);
    const Value& output = *layer.output;
    py::list inputs;
    for (const Value* input : layer.inputs) inputs.append(input->name);
    py::dict step;
    step["name"] = layer.operation->name;
    step["kind"] = nanoedge::native::name_of(layer.operation->kind);
    step["kernel"] = layer.operation->kernel;
    step["stride"] = layer.operation->stride;
    step["inputs"] = inputs;
    step["output"] = output.name;
    step["shape"] = py::make_tuple(output.height, output.width, output.channels);
    step["input_element"] = name_of(layer.inputs[0]->element);
    step["element"] = name_of(output.element);
    step["scale"] = output.scale;
    step["zero_point"] = output.zero_point;
    step["factors"] = factors_of(output);
    step["half_weights"] = layer.operation->has_weights() && layer.operation->stored == Stored::f16;
    step["multiply_adds"] = layer.multiply_adds;
    step["read"] = layer.read;
    step["written"] = layer.written;
    step["weights"] = layer.weights;
    steps.append(step);
  }
  return steps;
}

py::list maps_of(NativeNetwork& network, const py::array& given) {
  const Picture picture = checked(network, given);
  py::list maps;
  std::vector<void*> places;
  for (int number = 0; number < network.layers->count(); ++number) {
    const Value& output = *network.layers->layer(number).output;
    py::array map(py::dtype(name_of(output.element)), {output.height, output.width, output.channels});
    places.push_back(map.mutable_data());
    maps.append(map);
  }
  without_gil([&] {
    const std::lock_guard<std::mutex> turn(network.turn);
    network.layers->set_picture(picture.data());
    network.layers->run_and_copy(places);
  });
  return maps;
}

py::array_t<float> run(NativeNetwork& network, const py::array& given) {
  const Picture picture = checked(network, given);
  py::array_t<float> output({network.layers->model().priors, network.layers->model().channels});
  float* to = output.mutable_data();
  without_gil([&] {
    const std::lock_guard<std::mutex> turn(network.turn);
    network.layers->set_picture(picture.data());
    network.layers->run();
    network.layers->copy_output(to);
  });
  return output;
}

py::array_t<double> times(NativeNetwork& network, const py::array& given, int rounds) {
  if (rounds < 1) {
    throw Error(ErrorKind::input, "The number of rounds must be at least 1, not " + std::to_string(rounds) + ".");
  }
  const Picture picture = checked(network, given);
  const int steps = network.layers->count();
  py::array_t<double> seconds({rounds, steps});
  double* to = seconds.mutable_data();
  without_gil([&] {
    const std::lock_guard<std::mutex> turn(network.turn);
    network.layers->set_picture(picture.data());
    for (int round = 0; round < rounds; ++round, to += steps) network.layers->run_and_time(to);
  });
  return seconds;
}

double peak(const NativeNetwork& network, const std::string& element_name) {
  const Element element = choice(kElements, element_name, "element");
  double found = 0;
  without_gil(
      [&] { found = nanoedge::native::measured_peak(network.layers->kernels(), element, network.layers->threads()); });
  return found;
}

}  // namespace

void bind_native(py::module_& module) {
  py::class_<NativeNetwork>(module, "NativeNetwork")
      .def(py::init([](const std::string& folder, const std::string& precision_name, const std::string& kernels,
                       int threads) {
             const auto precision = choice<FilePrecision>(
                 {{"float", FilePrecision::float_}, {"int8", FilePrecision::int8}}, precision_name, "precision");
             auto network = std::make_unique<NativeNetwork>();
             without_gil([&] { network->layers = Layers::load(folder, precision, kernels, threads); });
             return network;
           }),
           py::arg("folder"), py::kw_only(), py::arg("precision") = "float", py::arg("kernels") = "",
           py::arg("threads") = 1)
      .def_property_readonly("kernels", [](const NativeNetwork& self) { return self.layers->kernels().name; })
      .def_property_readonly("threads", [](const NativeNetwork& self) { return self.layers->threads(); })
      .def_property_readonly("steps", steps_of)
      .def("run", run, py::arg("picture"))
      .def("maps", maps_of, py::arg("picture"))
      .def("times", times, py::arg("picture"), py::arg("rounds"))
      .def("peak", peak, py::arg("element"));
}
