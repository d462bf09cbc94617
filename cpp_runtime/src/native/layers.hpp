// A network of our engine, looked at step by step: what each step is, what it moves, what it gives, how long it takes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "native/kernels/step.hpp"
#include "native/model.hpp"
#include "native/network.hpp"

namespace nanoedge::native {

// One step in numbers. Padding in memory does not count, and neither do pixels around a map.
struct Layer {
  const Operation* operation = nullptr;
  std::vector<const Value*> inputs;
  const Value* output = nullptr;
  std::uint64_t multiply_adds = 0;      // of convolutions; other kinds have none
  std::uint64_t read = 0, written = 0;  // bytes of maps, each value once
  std::uint64_t weights = 0;            // bytes, as it is calculated with: with biases and multipliers
};

const char* name_of(Kind kind);

// Not thread-safe.
class Layers {
 public:
  // Reads and checks the bundle's file as the engine does. `kernels` names a table, empty: as the engine chooses;
  // `threads` 0: as many as a detector takes by itself. Throws Error.
  static std::unique_ptr<Layers> load(const std::string& folder, FilePrecision precision, const std::string& kernels,
                                      int threads);

  Layers(Model model, const Bytes& bytes, const KernelTable& kernels, int threads);

  const Model& model() const { return model_; }
  const KernelTable& kernels() const { return kernels_; }
  int threads() const { return threads_; }
  int count() const { return network_.step_count(); }
  Layer layer(int number) const;

  // uint8 [height, width, 3] in the order that the network was trained with, one pixel behind the other.
  void set_picture(const std::uint8_t* picture);
  void run() { network_.run(); }

  // One step alone; those before it have run.
  void run_step(int number) { network_.run_step(number); }

  // Runs everything; `maps` holds for each step where its output is copied as soon as it is calculated:
  // [height, width, channels] of the map's own elements.
  void run_and_copy(const std::vector<void*>& maps);

  // Runs everything; seconds of each step.
  void run_and_time(double* seconds);

  // [priors, channels]
  void copy_output(float* output) const;

 private:
  Model model_;
  const KernelTable& kernels_;
  int threads_;
  Network network_;
};

}  // namespace nanoedge::native
