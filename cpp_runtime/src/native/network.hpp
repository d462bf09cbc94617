// A compiled network in memory, ready to run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "native/kernels/step.hpp"
#include "native/model.hpp"
#include "threads/barrier.hpp"

namespace nanoedge::native {

// Memory that begins at a cache line, zeroed.
class Arena {
 public:
  explicit Arena(std::size_t size);
  char* data() const { return begin_.get(); }

 private:
  struct Free {
    void operator()(char* memory) const;
  };
  std::unique_ptr<char, Free> begin_;
};

class Network {
 public:
  // Packs the weights, which are taken from the file's bytes; these are not needed afterwards. `floats`: what maps of
  // float32 are kept, and multiplied, in, where the kernels have that.
  Network(const Model& model, const Bytes& bytes, const KernelTable& kernels, Element floats, int threads);

  // The picture: [height, width, 3], grey levels 0 to 255 in the order that the network was trained with. Its border is
  // filled already. The same memory for every run.
  const Map& input() const { return input_; }

  // Calculates everything; nothing is allocated.
  void run();

  // float32 [priors, channels] with `output_row` floats from one row to the next.
  const float* output() const { return output_; }
  std::size_t output_row() const { return output_row_; }

  // One by one, for measuring: how many steps there are, what they are called, running one.
  int step_count() const { return static_cast<int>(steps_.size()); }
  const Step& step(int number) const { return steps_[static_cast<std::size_t>(number)].step; }
  const std::string& step_name(int number) const { return steps_[static_cast<std::size_t>(number)].name; }
  void run_step(int number);

 private:
  struct Bound {
    Step step;
    const Kernel* kernel = nullptr;
    int items = 0;
    std::string name;
    bool feeds_pool = false;  // the next step takes the largest of its rows
  };

  // A thread's part of one step.
  void run_share(const Bound& bound, int thread, int threads) const;
  void run_in_bands(const Bound& bound, const Bound& pool) const;

  // Where the maps of a file lie in memory: as it says, or with 16 bits a value in half of that, the picture and the
  // output behind them.
  struct Places {
    Element floats = Element::f32;
    std::uint64_t picture_from = 0, picture_to = 0, output_from = 0, output_to = 0, size = 0;

    Places(const Model& model, const KernelTable& kernels, Element floats);
    Element element_of(const Value& value, bool is_picture) const;
  };

  Map map_of(const Value& value, bool is_picture) const;
  void fill_border(const Value& value, const std::array<float, 3>& border) const;
  void take_floats(const Operation& operation, const Model& model, const Bytes& bytes, Bound& bound);
  void take_bytes(const Operation& operation, const Model& model, const Bytes& bytes, Bound& bound);

  Places places_;
  Arena arena_;
  std::vector<Arena> weights_;
  std::vector<Arena> scratch_;  // one a thread
  std::vector<Bound> steps_;
  Map input_;
  const float* output_;
  std::size_t output_row_;
  int threads_;
  std::unique_ptr<threads::Barrier> barrier_;  // none for one thread
};

}  // namespace nanoedge::native
