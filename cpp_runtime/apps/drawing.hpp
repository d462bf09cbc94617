#pragma once

#include <string>
#include <vector>

#include "nanoedge/detector.hpp"
#include "picture_file.hpp"

namespace nanoedge::apps {

// Draws boxes with labels, the best score last, in a colour for each class.
void draw(Picture& picture, const std::vector<Detection>& found, const std::vector<std::string>& classes);

}  // namespace nanoedge::apps
