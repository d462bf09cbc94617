// Reads one layer's parameters and refuses what NanoEdge does not know.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "validation/ncnn_param.hpp"

namespace nanoedge {

// Every reading function throws Error (bundle) that names the file, the line and the layer.
class NcnnLayerReader {
 public:
  // Both must outlive the reader; `place` is the file's path.
  NcnnLayerReader(const NcnnLayer& layer, const std::string& place) : layer_(layer), place_(place) {}

  // Parameter `id`, or `preset` without it.
  int whole(int id, int preset, int lowest, int highest);
  double number(int id, double preset);
  std::vector<double> list(int id, std::size_t least, std::size_t most);
  bool has(int id) const { return layer_.values.count(id) != 0; }

  // A parameter may be given, but only as the number that it has anyway.
  void only(int id, double value);

  // The number of blobs that it reads and makes.
  void ends(std::size_t inputs, std::size_t outputs) const;

  // At the end: refuses parameters that were not asked for.
  void finish() const;

  const NcnnLayer& raw() const { return layer_; }

  [[noreturn]] void refuse_parameter(int id) const;
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  const NcnnValue* ask(int id);

  const NcnnLayer& layer_;
  const std::string& place_;
  std::vector<int> asked_;
};

}  // namespace nanoedge
