// Reading ncnn's text format `.param` by ourselves, before ncnn sees it.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nanoedge {

// One parameter of a layer: a number, or a list of numbers (keys -23300 - id in the file).
struct NcnnValue {
  bool is_list = false;
  bool is_whole = true;  // every number is a whole one
  std::vector<double> numbers;
};

// One layer: indices of blobs that it reads and writes, and its parameters by id.
struct NcnnLayer {
  std::string type, name;
  std::vector<std::size_t> inputs, outputs;
  std::map<int, NcnnValue> values;
  int line = 0;
};

struct NcnnGraph {
  std::vector<NcnnLayer> layers;
  std::vector<std::string> blobs;  // names, by index
};

// Parses the whole file: counts, names, references, numbers. Every blob is written before it is read, and written and
// read at most once. Throws Error (bundle) that names `place` and the line.
NcnnGraph parse_ncnn_param(std::string_view text, const std::string& place);

}  // namespace nanoedge
