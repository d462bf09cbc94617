#include "validation/openvino_model.hpp"

#include <charconv>
#include <cstdint>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "validation/xml_reader.hpp"

namespace nanoedge {
namespace {

constexpr std::size_t kMaxXmlBytes = 32'000'000;
constexpr std::int64_t kMaxLayers = 65536;
constexpr std::int64_t kMaxElements = std::int64_t{1} << 28;

const std::set<std::string_view>& allowed_operations() {
  static const std::set<std::string_view> names = {
      "Add",         "Broadcast", "Clamp",     "Concat",    "Const",       "Convert",
      "Convolution", "Divide",    "Gather",    "HSwish",    "HardSigmoid", "GroupConvolution",
      "Interpolate", "MatMul",    "MaxPool",   "Maximum",   "Minimum",     "Multiply",
      "PReLU",       "Pad",       "Parameter", "Range",     "ReLU",        "Reshape",
      "ReduceMean",  "Result",    "ShapeOf",   "Sigmoid",   "Slice",       "Split",
      "Squeeze",     "Subtract",  "Swish",     "Transpose", "Unsqueeze",   "VariadicSplit"};
  return names;
}

// Bytes of one element; the types that the exporter writes.
std::int64_t size_of_type(std::string_view type) {
  static const std::unordered_map<std::string_view, std::int64_t> sizes = {
      {"f32", 4}, {"f16", 2}, {"i64", 8}, {"i32", 4}, {"u8", 1}, {"i8", 1}, {"boolean", 1}};
  const auto found = sizes.find(type);
  return found == sizes.end() ? 0 : found->second;
}

class Checker {
 public:
  Checker(const Bytes& xml, const Bytes& weights, const Manifest& manifest, const std::string& place)
      : reader_({xml.data(), xml.size()}, place), weights_(weights), manifest_(manifest) {}

  void check() {
    XmlElement element;
    while (reader_.next(element)) {
      if (element.depth == 1 && element.name != "net") reader_.refuse("is not an OpenVINO network");
      if (element.depth == 2) section_ = element.name;
      if (section_ == "layers" && element.depth == 3) begin_layer(element);
      if (section_ == "layers" && element.depth == 4 && element.name == "data") check_data(element);
      if (section_ == "edges" && element.depth == 3) check_edge(element);
    }
    if (parameters_ != 1 || results_ != 1) reader_.refuse("has not one input and one output");
    if (unread_constants_ != 0) reader_.refuse("has a constant without data");
  }

 private:
  void begin_layer(const XmlElement& element) {
    if (element.name != "layer") reader_.refuse("has something else than a layer among its layers");
    type_ = need(element, "type");
    if (allowed_operations().count(type_) == 0) {
      reader_.refuse("has the operation " + type_ + ", which NanoEdge does not run");
    }
    const std::string_view set = need(element, "version");
    if (set.substr(0, 5) != "opset" || set.size() > 7) reader_.refuse("has an operation that is not OpenVINO's own");
    if (!layers_.insert(number(need(element, "id"), kMaxLayers)).second) reader_.refuse("has a layer's id twice");
    parameters_ += type_ == "Parameter";
    results_ += type_ == "Result";
    unread_constants_ += type_ == "Const";
  }

  void check_data(const XmlElement& element) {
    if (type_ == "Parameter") {
      const InputSpec& input = manifest_.input;
      const std::vector<std::int64_t> wanted = {1, 3, input.height, input.width};
      if (need(element, "element_type") != "f32" || shape(need(element, "shape")) != wanted) {
        reader_.refuse("has another input than the manifest says");
      }
    }
    if (type_ == "Const") {
      --unread_constants_;
      const std::int64_t offset = number(need(element, "offset"), INT64_MAX);
      const std::int64_t size = number(need(element, "size"), INT64_MAX);
      std::int64_t count = 1;
      for (const std::int64_t side : shape(need(element, "shape"))) {
        if (side > 0 && count > kMaxElements / side) reader_.refuse("has a constant larger than any network's");
        count *= side;
      }
      const std::int64_t one = size_of_type(need(element, "element_type"));
      if (one == 0) reader_.refuse("has a constant of a type that NanoEdge does not run");
      if (size != count * one) reader_.refuse("has a constant whose size does not fit its shape");
      const auto bytes = static_cast<std::int64_t>(weights_.size());
      if (offset > bytes || size > bytes - offset) reader_.refuse("has a constant outside its .bin");
    }
  }

  void check_edge(const XmlElement& element) {
    if (element.name != "edge") reader_.refuse("has something else than an edge among its edges");
    for (const char* end : {"from-layer", "to-layer"}) {
      if (layers_.count(number(need(element, end), kMaxLayers)) == 0) reader_.refuse("has an edge to no layer");
    }
    for (const char* end : {"from-port", "to-port"}) number(need(element, end), 1024);
  }

  std::string_view need(const XmlElement& element, std::string_view key) {
    const std::string_view* value = element.find(key);
    if (value == nullptr) reader_.refuse("has a <" + std::string(element.name) + "> without " + std::string(key));
    return *value;
  }

  std::int64_t number(std::string_view text, std::int64_t highest) {
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > highest) {
      reader_.refuse("has no whole number where one must be");
    }
    return value;
  }

  // "24, 3, 3, 3"; empty for a scalar.
  std::vector<std::int64_t> shape(std::string_view text) {
    std::vector<std::int64_t> sides;
    while (!text.empty()) {
      const std::size_t comma = text.find(',');
      sides.push_back(number(text.substr(0, comma), kMaxElements));
      if (sides.size() > 8) reader_.refuse("has a shape of more than 8 dimensions");
      if (comma == std::string_view::npos) break;
      text.remove_prefix(comma + 1);
      while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
      if (text.empty()) reader_.refuse("has a shape that ends with a comma");
    }
    return sides;
  }

  XmlReader reader_;
  const Bytes& weights_;
  const Manifest& manifest_;
  std::string section_, type_;
  std::unordered_set<std::int64_t> layers_;
  int parameters_ = 0, results_ = 0, unread_constants_ = 0;
};

}  // namespace

void validate_openvino(const Bytes& xml, const Bytes& weights, const Manifest& manifest, const std::string& xml_place) {
  if (xml.size() > kMaxXmlBytes) throw Error(ErrorKind::bundle, xml_place + " is larger than any network.");
  Checker(xml, weights, manifest, xml_place).check();
}

}  // namespace nanoedge
