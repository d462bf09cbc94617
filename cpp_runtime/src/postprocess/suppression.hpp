// Boxes that may be reported: decoding fills the list, suppression reads it.
#pragma once

#include <cstdint>
#include <vector>

#include "nanoedge/detector.hpp"

namespace nanoedge {

// At most this many boxes enter the suppression, best scores first; more never matter among 100 detections.
inline constexpr std::size_t kMaxCandidates = 4096;

// The best candidates seen so far, at most kMaxCandidates. Of equal scores the one that came first is better.
class Candidates {
 public:
  Candidates() { heap_.reserve(kMaxCandidates); }

  void clear() { heap_.clear(), arrived_ = 0; }
  std::size_t size() const { return heap_.size(); }
  void add(const Detection& detection);

  // Writes the detections that survive greedy suppression into `found`, best first; the list is used up.
  void suppress(float iou_threshold, bool class_aware, std::size_t limit, std::vector<Detection>& found);

 private:
  struct Entry {
    Detection detection;
    std::uint32_t order;
    float area;
    bool alive;
  };
  static bool better(const Entry& one, const Entry& other);

  std::vector<Entry> heap_;  // a heap whose front is the worst, once it is full
  std::uint32_t arrived_ = 0;
};

}  // namespace nanoedge
