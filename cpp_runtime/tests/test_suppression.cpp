#include <catch.hpp>

#include <vector>

#include "postprocess/suppression.hpp"

using nanoedge::Candidates;
using nanoedge::Detection;
using nanoedge::kMaxCandidates;

static std::vector<Detection> suppressed(const std::vector<Detection>& boxes, float iou, bool class_aware,
                                         std::size_t limit = 100) {
  Candidates candidates;
  for (const Detection& box : boxes) candidates.add(box);
  std::vector<Detection> found;
  candidates.suppress(iou, class_aware, limit, found);
  return found;
}

TEST_CASE("the better of two overlapping boxes of a class stays") {
  const auto found = suppressed({{0, 0, 10, 10, 0.5F, 1}, {1, 0, 11, 10, 0.9F, 1}}, 0.6F, true);
  REQUIRE(found.size() == 1);
  CHECK(found[0].score == 0.9F);
}

TEST_CASE("boxes of other classes are compared only without class awareness") {
  const std::vector<Detection> boxes = {{0, 0, 10, 10, 0.5F, 1}, {1, 0, 11, 10, 0.9F, 2}};
  CHECK(suppressed(boxes, 0.6F, true).size() == 2);
  CHECK(suppressed(boxes, 0.6F, false).size() == 1);
}

TEST_CASE("an overlap of exactly the threshold is no reason to go") {
  const std::vector<Detection> boxes = {{0, 0, 10, 10, 0.9F, 0}, {0, 0, 10, 5, 0.8F, 0}};  // IoU 0.5
  CHECK(suppressed(boxes, 0.5F, true).size() == 2);
  CHECK(suppressed(boxes, 0.49F, true).size() == 1);
}

TEST_CASE("the best come first, equal scores in the order of their arrival, and no more than asked for") {
  std::vector<Detection> boxes;
  for (int i = 0; i < 5; ++i) boxes.push_back({20.F * i, 0, 20.F * i + 10, 10, i == 3 ? 0.9F : 0.5F, i});
  const auto found = suppressed(boxes, 0.6F, true, 3);
  REQUIRE(found.size() == 3);
  CHECK(found[0].class_id == 3);
  CHECK(found[1].class_id == 0);
  CHECK(found[2].class_id == 1);
}

TEST_CASE("more candidates than the bound: the best of them enter, whatever their order") {
  std::vector<Detection> boxes;
  const int count = 3 * static_cast<int>(kMaxCandidates);
  for (int i = 0; i < count; ++i) {
    const int shuffled = static_cast<int>((static_cast<long long>(i) * 7919) % count);
    boxes.push_back({20.F * shuffled, 0, 20.F * shuffled + 10, 10, static_cast<float>(shuffled) / count, 0});
  }
  const auto found = suppressed(boxes, 0.6F, true, boxes.size());
  REQUIRE(found.size() == kMaxCandidates);
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i].score == static_cast<float>(count - 1 - static_cast<int>(i)) / count);
  }
}

TEST_CASE("a list that was used up can be filled again") {
  Candidates candidates;
  std::vector<Detection> found;
  for (int round = 0; round < 2; ++round) {
    candidates.clear();
    candidates.add({0, 0, 5, 5, 0.5F, round});
    candidates.suppress(0.5F, true, 10, found);
    REQUIRE(found.size() == 1);
    CHECK(found[0].class_id == round);
  }
}
