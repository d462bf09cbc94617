#include "postprocess/suppression.hpp"

#include <algorithm>

namespace nanoedge {

bool Candidates::better(const Entry& one, const Entry& other) {
  if (one.detection.score != other.detection.score) return one.detection.score > other.detection.score;
  return one.order < other.order;
}

void Candidates::add(const Detection& detection) {
  const float area = (detection.x2 - detection.x1) * (detection.y2 - detection.y1);
  const Entry entry{detection, arrived_++, area, true};
  if (heap_.size() < kMaxCandidates) {
    heap_.push_back(entry);
    if (heap_.size() == kMaxCandidates) std::make_heap(heap_.begin(), heap_.end(), better);
  } else if (better(entry, heap_.front())) {
    std::pop_heap(heap_.begin(), heap_.end(), better);
    heap_.back() = entry;
    std::push_heap(heap_.begin(), heap_.end(), better);
  }
}

void Candidates::suppress(float iou_threshold, bool class_aware, std::size_t limit, std::vector<Detection>& found) {
  found.clear();
  found.reserve(std::min(limit, kMaxCandidates));  // once; later pictures may have more boxes than the first
  std::sort(heap_.begin(), heap_.end(), better);
  for (auto entry = heap_.begin(); entry != heap_.end() && found.size() < limit; ++entry) {
    if (!entry->alive) continue;
    const Detection& best = entry->detection;
    found.push_back(best);
    for (auto other = entry + 1; other != heap_.end(); ++other) {
      const Detection& box = other->detection;
      if (!other->alive || (class_aware && box.class_id != best.class_id)) continue;
      const float width = std::min(best.x2, box.x2) - std::max(best.x1, box.x1);
      const float height = std::min(best.y2, box.y2) - std::max(best.y1, box.y1);
      const float intersection = std::max(width, 0.F) * std::max(height, 0.F);
      if (intersection > iou_threshold * (entry->area + other->area - intersection)) other->alive = false;
    }
  }
  heap_.clear();
}

}  // namespace nanoedge
