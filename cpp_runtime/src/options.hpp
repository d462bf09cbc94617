// What a caller's Options and a bundle together ask for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bundle/bundle.hpp"
#include "engines/engine.hpp"
#include "nanoedge/detector.hpp"

namespace nanoedge {

// The bundle's settings with the options' changes. Throws Error (input) for one out of range.
PostprocessSpec with_changes(PostprocessSpec spec, const Options& options);

// One number a class, 1 for those to be found; empty for all. Throws Error (input) for a name the bundle lacks.
std::vector<std::uint8_t> class_mask(const std::vector<std::string>& names, const std::vector<std::string>& wanted);

// Threads and CPUs settled. Throws Error (input, engine). `root` is /sys, or a copy of its layout in tests.
EngineOptions engine_options_of(const Options& options, const char* root = "/sys");

// The engine that was asked for, or for "auto" the first that the bundle has and that is there. Throws Error.
const EngineKind& choose_engine(const Bundle& bundle, const Options& options, const EngineOptions& engine_options);

}  // namespace nanoedge
