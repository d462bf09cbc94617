"""`Detections`: the one value that engines, evaluation, drawing and users exchange."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


class Detection(NamedTuple):
    """One box: `label` (class name), `score` in 0..1, `box` as (x1, y1, x2, y2) in pixels of the picture."""

    label: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Detections:
    """The boxes found in one picture, best score first.

    Attributes:
        boxes_xyxy: float32 [N, 4]; x1, y1, x2, y2 in pixels of the picture, continuous coordinates,
            `0 <= x1 < x2 <= width`.
        scores: float32 [N] in 0..1.
        class_ids: int64 [N], indices into `class_names`.
        class_names: the names of all classes that the model knows.

    Raises:
        ValueError: when the arrays' lengths or shapes do not fit each other.

    Example:
        >>> found = Detections.of([[10, 20, 50, 80]], [0.9], [1], ["cat", "dog"])
        >>> [(label, round(score, 2)) for label, score, box in found]
        [('dog', 0.9)]
    """

    boxes_xyxy: FloatArray
    scores: FloatArray
    class_ids: IntArray
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        count = len(self.scores)
        if self.boxes_xyxy.shape != (count, 4) or self.scores.shape != (count,) or self.class_ids.shape != (count,):
            raise ValueError(
                f"boxes {self.boxes_xyxy.shape}, scores {self.scores.shape} and class ids {self.class_ids.shape} "
                "do not describe the same number of boxes"
            )

    @classmethod
    def of(
        cls,
        boxes_xyxy: npt.ArrayLike,
        scores: npt.ArrayLike,
        class_ids: npt.ArrayLike,
        class_names: Sequence[str],
    ) -> Detections:
        """Build from anything that NumPy can turn into arrays; an empty list of boxes is fine."""
        return cls(
            np.asarray(boxes_xyxy, np.float32).reshape(-1, 4),
            np.asarray(scores, np.float32).reshape(-1),
            np.asarray(class_ids, np.int64).reshape(-1),
            tuple(class_names),
        )

    @classmethod
    def empty(cls, class_names: Sequence[str]) -> Detections:
        """No boxes."""
        return cls.of([], [], [], class_names)

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[Detection]:
        for box, score, class_id in zip(self.boxes_xyxy, self.scores, self.class_ids, strict=True):
            x1, y1, x2, y2 = (float(value) for value in box)
            yield Detection(self.class_names[int(class_id)], float(score), (x1, y1, x2, y2))

    def select(self, keep: npt.NDArray[np.bool_] | IntArray) -> Detections:
        """The boxes that `keep` (a mask [N] or indices [M]) picks, in its order."""
        return Detections(self.boxes_xyxy[keep], self.scores[keep], self.class_ids[keep], self.class_names)

    def as_json(self) -> list[dict[str, object]]:
        """The contract's form: a list of `{"label", "class_id", "score", "box"}`; scores to 5, pixels to 2 decimals."""
        return [
            {
                "label": self.class_names[int(class_id)],
                "class_id": int(class_id),
                "score": round(float(score), 5),
                "box": [round(float(value), 2) for value in box],
            }
            for box, score, class_id in zip(self.boxes_xyxy, self.scores, self.class_ids, strict=True)
        ]
