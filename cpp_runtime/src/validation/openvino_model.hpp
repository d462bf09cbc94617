#pragma once

#include <string>

#include "bundle/bundle.hpp"

namespace nanoedge {

// Checks an OpenVINO network before OpenVINO sees it: no document type, only operations that these networks use, every
// constant inside the .bin with the size that its shape says, sizes within limits, the input's shape as in the
// manifest, edges between layers that exist. Throws Error (bundle).
//
// Not checked: the attributes of operations and the shapes between them; OpenVINO infers those by itself and refuses
// what does not fit. The output's shape is compared with the manifest after OpenVINO has loaded the network.
void validate_openvino(const Bytes& xml, const Bytes& weights, const Manifest& manifest, const std::string& xml_place);

}  // namespace nanoedge
