#include "validation/ncnn_shapes.hpp"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <unordered_map>

#include "validation/ncnn_layer.hpp"

namespace nanoedge {
namespace {

constexpr std::int64_t kMaxBlobSize = std::int64_t{1} << 26;     // numbers in one blob
constexpr std::int64_t kMaxBlobsSize = std::int64_t{1} << 29;    // numbers in all of them
constexpr std::int64_t kMaxWeightCount = std::int64_t{1} << 27;  // numbers in one layer
constexpr int kMaxChannels = 16384, kMaxKernel = 31, kMaxStride = 16;
constexpr double kRemaining = -233;  // ncnn's mark for "what is left" in a slice

using Shapes = std::vector<NcnnShape>;

// What a layer makes of its inputs' shapes; may add to the weights.
using Rule = Shapes (*)(NcnnLayerReader& layer, const Shapes& inputs, std::vector<NcnnWeights>& weights);

void need_dims(const NcnnLayerReader& layer, const NcnnShape& shape, int dims) {
  if (shape.dims != dims) layer.refuse("reads a blob of " + std::to_string(shape.dims) + " dimensions");
}

// Fused activations: 1 ReLU, 2 leaky (slope), 3 clip (low, high), 4 sigmoid, 6 hard swish (alpha, beta).
void check_activation(NcnnLayerReader& layer) {
  const int type = layer.whole(9, 0, 0, 6);
  if (type == 5) layer.refuse_parameter(9);
  const std::size_t numbers = type == 2 ? 1 : (type == 3 || type == 6) ? 2 : 0;
  if (numbers > 0 || layer.has(10)) layer.list(10, numbers, numbers);
}

void add_weights(const NcnnLayerReader& layer, std::vector<NcnnWeights>& weights, std::int64_t count, bool bias,
                 int outputs) {
  if (count < 1 || count > kMaxWeightCount) layer.refuse("has more weights than any network");
  weights.push_back({count, true, layer.raw().line});
  if (bias) weights.push_back({outputs, false, layer.raw().line});
}

struct Window {
  int kernel_w, kernel_h, stride_w, stride_h, pad_left, pad_right, pad_top, pad_bottom;
};

std::int64_t windows(const NcnnLayerReader& layer, std::int64_t length, int kernel, int stride, int dilation,
                     int pads) {
  const std::int64_t extent = std::int64_t{dilation} * (kernel - 1) + 1;
  if (length + pads < extent) layer.refuse("has a kernel larger than its input");
  return (length + pads - extent) / stride + 1;
}

NcnnShape convolved(NcnnLayerReader& layer, const NcnnShape& in, bool depth_wise, std::vector<NcnnWeights>& weights) {
  need_dims(layer, in, 3);
  const int outputs = layer.whole(0, 0, 1, kMaxChannels);
  const int kernel_w = layer.whole(1, 0, 1, kMaxKernel), kernel_h = layer.whole(11, kernel_w, 1, kMaxKernel);
  const int dilation_w = layer.whole(2, 1, 1, 16), dilation_h = layer.whole(12, dilation_w, 1, 16);
  const int stride_w = layer.whole(3, 1, 1, kMaxStride), stride_h = layer.whole(13, stride_w, 1, kMaxStride);
  const int pad_left = layer.whole(4, 0, 0, kMaxKernel), pad_right = layer.whole(15, pad_left, 0, kMaxKernel);
  const int pad_top = layer.whole(14, pad_left, 0, kMaxKernel), pad_bottom = layer.whole(16, pad_top, 0, kMaxKernel);
  const bool bias = layer.whole(5, 0, 0, 1) == 1;
  const int count = layer.whole(6, 0, 1, INT32_MAX);
  const int groups = depth_wise ? layer.whole(7, 1, 1, kMaxChannels) : 1;
  layer.only(8, 0);  // int8
  layer.only(18, 0);
  layer.only(19, 0);  // dynamic weights
  check_activation(layer);
  if (in.c % groups != 0 || outputs % groups != 0) layer.refuse("has groups that do not divide its channels");
  if (count != in.c / groups * outputs * kernel_w * kernel_h) layer.refuse("has a wrong number of weights");
  add_weights(layer, weights, count, bias, outputs);
  return {3, windows(layer, in.w, kernel_w, stride_w, dilation_w, pad_left + pad_right),
          windows(layer, in.h, kernel_h, stride_h, dilation_h, pad_top + pad_bottom), outputs};
}

Shapes convolution(NcnnLayerReader& layer, const Shapes& in, std::vector<NcnnWeights>& weights) {
  layer.ends(1, 1);
  return {convolved(layer, in[0], false, weights)};
}

Shapes depth_wise_convolution(NcnnLayerReader& layer, const Shapes& in, std::vector<NcnnWeights>& weights) {
  layer.ends(1, 1);
  return {convolved(layer, in[0], true, weights)};
}

Shapes inner_product(NcnnLayerReader& layer, const Shapes& in, std::vector<NcnnWeights>& weights) {
  layer.ends(1, 1);
  need_dims(layer, in[0], 1);
  const int outputs = layer.whole(0, 0, 1, kMaxChannels);
  const bool bias = layer.whole(1, 0, 0, 1) == 1;
  const int count = layer.whole(2, 0, 1, INT32_MAX);
  layer.only(8, 0);
  check_activation(layer);
  if (count != in[0].w * outputs) layer.refuse("has a wrong number of weights");
  add_weights(layer, weights, count, bias, outputs);
  return {{1, outputs, 1, 1}};
}

Shapes pooling(NcnnLayerReader& layer, const Shapes& in, std::vector<NcnnWeights>&) {
  layer.ends(1, 1);
  need_dims(layer, in[0], 3);
  layer.whole(0, 0, 0, 1);
  if (layer.whole(4, 0, 0, 1) == 1) return {{1, in[0].c, 1, 1}};
  const int kernel_w = layer.whole(1, 0, 1, kMaxKernel), kernel_h = layer.whole(11, kernel_w, 1, kMaxKernel);
  const int stride_w = layer.whole(2, 1, 1, kMaxStride), stride_h = layer.whole(12, stride_w, 1, kMaxStride);
  const int pad_left = layer.whole(3, 0, 0, kMaxKernel), pad_right = layer.whole(14, pad_left, 0, kMaxKernel);
  const int pad_top = layer.whole(13, pad_left, 0, kMaxKernel), pad_bottom = layer.whole(15, pad_top, 0, kMaxKernel);
  layer.whole(5, 0, 1, 1);  // only windows that fit
  layer.only(6, 0);
  layer.only(7, 0);
  if (!layer.has(5)) layer.refuse("pads in a way that NanoEdge does not use");
  return {{3, windows(layer, in[0].w, kernel_w, stride_w, 1, pad_left + pad_right),
           windows(layer, in[0].h, kernel_h, stride_h, 1, pad_top + pad_bottom), in[0].c}};
}

Shapes split(NcnnLayerReader& layer, const Shapes& in, std::vector<NcnnWeights>&) {
  if (in.size() != 1 || layer.raw().outputs.empty()) layer.refuse("has a wrong number of blobs");
  return Shapes(layer.raw().outputs.size(), in[0]);
}

// The length along ncnn's axis: counted from the outermost dimension.
std::int64_t& along(const NcnnLayerReader& layer, NcnnShape& shape, int axis) {
  const int from_inner = shape.dims - 1 - axis;
  if (from_inner < 0) layer.refuse("has an axis that its blob does not have");
  return from_inner == 0 ? shape.w : from_inner == 1 ? shape.h : shape.c;
}

Shapes concat(NcnnLayerReader& layer, const Shapes& in, std::vector<NcnnWeights>&) {
  if (in.empty() || layer.raw().outputs.size() != 1) layer.refuse("has a wrong number of blobs");
  const int axis = layer.whole(0, 0, 0, 2);
  NcnnShape whole = in[0];
  std::int64_t length = 0;
  for (NcnnShape part : in) {
    length += along(layer, part, axis);
    along(layer, part, axis) = along(layer, whole, axis);
    if (part.dims != whole.dims || part.w != whole.w || part.h != whole.h || part.c != whole.c) {
      layer.refuse("joins blobs that do not fit");
    }
  }
  along(layer, whole, axis) = length;
  return {whole};
}

Shapes slice(NcnnLayerReader& layer, const Shapes& in, std::vector<NcnnWeights>&) {
  const std::size_t parts = layer.raw().outputs.size();
  if (in.size() != 1 || parts == 0) layer.refuse("has a wrong number of blobs");
  const std::vector<double> lengths = layer.list(0, parts, parts);
  const int axis = layer.whole(1, 0, 0, 2);
  NcnnShape whole = in[0];
  std::int64_t left = along(layer, whole, axis);
  Shapes shapes;
  for (std::size_t i = 0; i < parts; ++i) {
    NcnnShape part = whole;
    // ncnn shares what is left evenly among the parts that have no length of their own.
    const std::int64_t length =
        lengths[i] == kRemaining ? left / static_cast<std::int64_t>(parts - i) : static_cast<std::int64_t>(lengths[i]);
    if (length < 1 || length > left ||
        static_cast<double>(length) != (lengths[i] == kRemaining ? length : lengths[i])) {
      layer.refuse("cuts parts that its blob does not have");
    }
    along(layer, part, axis) = length;
    left -= length;
    shapes.push_back(part);
  }
  if (left != 0) layer.refuse("leaves a part of its blob over");
  return shapes;
}

Shapes shuffle_channel(NcnnLayerReader& layer, const Shapes& in, std::vector<NcnnWeights>&) {
  layer.ends(1, 1);
  need_dims(layer, in[0], 3);
  const int groups = layer.whole(0, 1, 1, kMaxChannels);
  layer.whole(1, 0, 0, 1);
  if (in[0].c % groups != 0) layer.refuse("has groups that do not divide its channels");
  return {in[0]};
}

Shapes interpolation(NcnnLayerReader& layer, const Shapes& in, std::vector<NcnnWeights>&) {
  layer.ends(1, 1);
  need_dims(layer, in[0], 3);
  layer.whole(0, 0, 1, 2);  // nearest, bilinear
  if (!layer.has(0)) layer.refuse_parameter(0);
  const double scale_h = layer.number(1, 1), scale_w = layer.number(2, 1);
  layer.only(3, 0), layer.only(4, 0), layer.only(5, 0), layer.only(6, 0);
  for (const double scale : {scale_w, scale_h}) {
    if (scale != 1 && scale != 2 && scale != 4) layer.refuse("has a scale that is not 1, 2 or 4");
  }
  return {{3, in[0].w * static_cast<std::int64_t>(scale_w), in[0].h * static_cast<std::int64_t>(scale_h), in[0].c}};
}

Shapes binary_operation(NcnnLayerReader& layer, const Shapes& in, std::vector<NcnnWeights>&) {
  layer.ends(2, 1);
  layer.whole(0, 0, 0, 3);  // add, subtract, multiply, divide
  layer.only(1, 0), layer.only(2, 0);
  const NcnnShape &first = in[0], &second = in[1];
  const bool same = first.dims == second.dims && first.w == second.w && first.h == second.h && first.c == second.c;
  const bool factors = first.dims == 3 && second.dims == 1 && second.w == first.c;  // one number a channel
  if (!same && !factors) layer.refuse("combines blobs that do not fit");
  return {first};
}

Shapes reshape(NcnnLayerReader& layer, const Shapes& in, std::vector<NcnnWeights>&) {
  layer.ends(1, 1);
  NcnnShape shape;
  shape.w = layer.whole(0, -233, 1, INT32_MAX);
  if (layer.has(2) && !layer.has(1)) layer.refuse_parameter(1);  // ncnn would make one dimension of it
  shape.dims = layer.has(2) ? 3 : layer.has(1) ? 2 : 1;
  shape.h = layer.whole(1, 1, 1, INT32_MAX);
  shape.c = layer.whole(2, 1, 1, INT32_MAX);
  const bool fits = shape.w > 0 && shape.h <= in[0].size() / shape.w && shape.c <= in[0].size() / (shape.w * shape.h);
  if (!fits || shape.size() != in[0].size()) layer.refuse("gives a blob of another size");
  return {shape};
}

Shapes permute(NcnnLayerReader& layer, const Shapes& in, std::vector<NcnnWeights>&) {
  layer.ends(1, 1);
  need_dims(layer, in[0], 2);
  return {layer.whole(0, 0, 0, 1) == 1 ? NcnnShape{2, in[0].h, in[0].w, 1} : in[0]};
}

// Layers that change numbers, not shapes.
Shapes element_wise(NcnnLayerReader& layer, const Shapes& in, std::vector<NcnnWeights>&) {
  layer.ends(1, 1);
  layer.number(0, 0), layer.number(1, 0);  // slope, or low and high, or alpha and beta
  return {in[0]};
}

const std::unordered_map<std::string, Rule>& rules() {
  static const std::unordered_map<std::string, Rule> table = {
      {"BinaryOp", binary_operation},
      {"Clip", element_wise},
      {"Concat", concat},
      {"Convolution", convolution},
      {"ConvolutionDepthWise", depth_wise_convolution},
      {"HardSigmoid", element_wise},
      {"HardSwish", element_wise},
      {"InnerProduct", inner_product},
      {"Interp", interpolation},
      {"Permute", permute},
      {"Pooling", pooling},
      {"ReLU", element_wise},
      {"Reshape", reshape},
      {"ShuffleChannel", shuffle_channel},
      {"Sigmoid", element_wise},
      {"Slice", slice},
      {"Split", split},
      {"Swish", element_wise},
  };
  return table;
}

}  // namespace

NcnnPlan plan_ncnn(const NcnnGraph& graph, int width, int height, const std::string& place) {
  NcnnPlan plan;
  plan.blobs.resize(graph.blobs.size());
  std::int64_t total = 0;
  for (const NcnnLayer& raw : graph.layers) {
    NcnnLayerReader layer(raw, place);
    Shapes inputs, outputs;
    for (const std::size_t blob : raw.inputs) inputs.push_back(plan.blobs[blob]);
    if (raw.type == "Input") {
      layer.ends(0, 1);
      outputs = {{3, width, height, 3}};
      if (&raw != &graph.layers.front()) layer.refuse("is a second input");
    } else {
      const auto rule = rules().find(raw.type);
      if (rule == rules().end()) layer.refuse("is of a type that NanoEdge does not run");
      if (raw.inputs.empty()) layer.refuse("has a wrong number of blobs");
      outputs = rule->second(layer, inputs, plan.weights);
    }
    layer.finish();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const NcnnShape& shape = outputs[i];
      const bool small =
          shape.w <= kMaxBlobSize && shape.h <= kMaxBlobSize / shape.w && shape.c <= kMaxBlobSize / (shape.w * shape.h);
      if (!small || (total += shape.size()) > kMaxBlobsSize) layer.refuse("makes more numbers than any network");
      plan.blobs[raw.outputs[i]] = shape;
    }
  }
  return plan;
}

}  // namespace nanoedge
