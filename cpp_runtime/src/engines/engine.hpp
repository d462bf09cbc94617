// What every engine offers: the only virtual interface of the library.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "bundle/bundle.hpp"
#include "image/preprocess.hpp"
#include "nanoedge/detector.hpp"
#include "postprocess/decode.hpp"

namespace nanoedge {

// How an engine runs: what is left of Options when the choices are made.
struct EngineOptions {
  int threads = 1;
  ComputePrecision compute = ComputePrecision::fp32;
  Cores cores = Cores::auto_;
  std::vector<int> cpus;         // of that kind; empty for all
  std::vector<int> usable_cpus;  // all that this process may use
  std::string openvino_library;
};

// One loaded network of one picture a run. Not thread-safe; Detector takes turns.
class Engine {
 public:
  virtual ~Engine() = default;

  // Where preprocessing writes. The same memory for every run.
  virtual InputView input() = 0;

  // Calculates the output from the input. Throws Error (engine).
  virtual void run() = 0;

  // float32 [priors, channels] of the last run; valid until the next.
  virtual OutputView output() const = 0;
};

// An engine that NanoEdge knows.
struct EngineKind {
  const char* name;
  // Whether it can be used here; false, with the reason, when a library is missing.
  bool (*is_available)(const EngineOptions& options, std::string* reason);
  // Checks the entry's files, then loads them. Throws Error.
  std::unique_ptr<Engine> (*load)(const Bundle& bundle, const EngineEntry& entry, const EngineOptions& options);
};

// All of them, in the order in which "auto" tries them on this kind of CPU.
const std::vector<EngineKind>& engine_kinds();

// Defined beside each engine.
EngineKind native_engine();
EngineKind ncnn_engine();
EngineKind openvino_engine();

const char* name_of(ComputePrecision compute) noexcept;

}  // namespace nanoedge
