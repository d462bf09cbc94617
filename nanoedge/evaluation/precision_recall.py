"""Precision over recall, as COCO's evaluation interpolates it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """The curves of all classes at IoU 0.5. The mean height of a curve is the class's AP50.

    Attributes:
        classes: class names.
        recall: float64 [101], 0 to 1.
        precision: float64 [classes, 101], the best precision at that recall or more; 0 where the recall is never
            reached, NaN for classes without a true box.
    """

    classes: tuple[str, ...]
    recall: FloatArray
    precision: FloatArray

    @property
    def measured(self) -> list[int]:
        """Places of the classes that have a true box."""
        return [int(place) for place in np.flatnonzero(~np.isnan(self.precision).any(axis=1))]

    @property
    def mean(self) -> FloatArray | None:
        """float64 [101], over the measured classes; `None` without any. Its mean height is AP50."""
        return np.asarray(self.precision[self.measured].mean(axis=0)) if self.measured else None

    def average(self, place: int) -> float:
        """AP50 of a class; -1 when it has no true box."""
        return float(self.precision[place].mean()) if place in self.measured else -1.0
