#include "validation/ncnn_layer.hpp"

#include <algorithm>

#include "nanoedge/error.hpp"

namespace nanoedge {

int NcnnLayerReader::whole(int id, int preset, int lowest, int highest) {
  const NcnnValue* value = ask(id);
  if (value == nullptr) return preset;
  if (value->is_list || value->numbers.empty()) refuse_parameter(id);
  const double number = value->numbers.front();
  if (!value->is_whole || number < lowest || number > highest) refuse_parameter(id);
  return static_cast<int>(number);
}

double NcnnLayerReader::number(int id, double preset) {
  const NcnnValue* value = ask(id);
  if (value == nullptr) return preset;
  if (value->is_list || value->numbers.empty()) refuse_parameter(id);
  return value->numbers.front();
}

std::vector<double> NcnnLayerReader::list(int id, std::size_t least, std::size_t most) {
  const NcnnValue* value = ask(id);
  if (value == nullptr || !value->is_list || value->numbers.size() < least || value->numbers.size() > most) {
    refuse_parameter(id);
  }
  return value->numbers;
}

void NcnnLayerReader::only(int id, double value) {
  if (number(id, value) != value) refuse_parameter(id);
}

void NcnnLayerReader::ends(std::size_t inputs, std::size_t outputs) const {
  if (layer_.inputs.size() != inputs || layer_.outputs.size() != outputs) refuse("has a wrong number of blobs");
}

void NcnnLayerReader::finish() const {
  for (const auto& item : layer_.values) {
    if (std::find(asked_.begin(), asked_.end(), item.first) == asked_.end()) refuse_parameter(item.first);
  }
}

void NcnnLayerReader::refuse_parameter(int id) const {
  refuse("has an unusable parameter " + std::to_string(id));
}
void NcnnLayerReader::refuse(const std::string& what) const {
  throw Error(ErrorKind::bundle, place_ + ", line " + std::to_string(layer_.line) + ": the layer " + layer_.name +
                                     " (" + layer_.type + ") " + what +
                                     "; the bundle is damaged or not made by NanoEdge.");
}

const NcnnValue* NcnnLayerReader::ask(int id) {
  asked_.push_back(id);
  const auto found = layer_.values.find(id);
  return found == layer_.values.end() ? nullptr : &found->second;
}

}  // namespace nanoedge
