#include <nanoedge/detector.hpp>

#include <cstdint>
#include <cstdio>
#include <vector>

int main(int count, char** words) {
  if (count != 2) return std::printf("usage: find_objects BUNDLE < frame.bgr (640x480)\n"), 2;
  try {
    nanoedge::Options options;
    options.engine = "ncnn";
    nanoedge::Detector detector = nanoedge::Detector::load(words[1], options);
    std::vector<std::uint8_t> pixels(640 * 480 * 3);
    while (std::fread(pixels.data(), 1, pixels.size(), stdin) == pixels.size()) {
      for (const nanoedge::Detection& box : detector.detect({pixels.data(), 640, 480})) {
        std::printf("%s %.2f [%.0f, %.0f, %.0f, %.0f]\n", detector.classes()[box.class_id].c_str(), box.score, box.x1,
                    box.y1, box.x2, box.y2);
      }
    }
  } catch (const nanoedge::Error& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
  }
}
