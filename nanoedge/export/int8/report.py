"""What was measured of an int8 file, and whether the bundle has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

MAX_OUTPUT_ERROR = 0.1
"""An int8 file whose outputs are further from float's than this calculates something else."""


@dataclass(frozen=True)
class Accuracy:
    """AP of both files on the real engine, fractions 0..1.

    Attributes:
        pictures: how many it was measured on.
        float_ap: of the float file.
        int8_ap: of the int8 file.
        max_drop: by how much int8 may be lower.
    """

    pictures: int
    float_ap: float
    int8_ap: float
    max_drop: float

    @property
    def drop(self) -> float:
        """By how much int8 is lower; negative where it is higher."""
        return self.float_ap - self.int8_ap


@dataclass(frozen=True)
class Int8Report:
    """Of one int8 file.

    Attributes:
        engine: that calculates it.
        method: how the ranges were chosen: the method with the least error.
        errors: of every method that was tried, see `output_error`.
        pictures_for_ranges: how many pictures the ranges were measured on.
        pictures_for_errors: how many pictures the errors were measured on.
        is_kept_apart: whether these are other ones.
        skipped: how many pictures could not be read.
        accuracy: `None` where no true boxes were given, or int8 was left out before.
        refusal: why the bundle does not have the file; empty when it has.
    """

    engine: str
    method: str
    errors: Mapping[str, float]
    pictures_for_ranges: int
    pictures_for_errors: int
    is_kept_apart: bool
    skipped: int
    accuracy: Accuracy | None = None
    refusal: str = ""

    @property
    def error(self) -> float:
        """Of the method that was taken."""
        return self.errors[self.method]

    def as_json(self) -> dict[str, Any]:
        """Plain values; part of `parity.json` when the bundle has the file."""
        accuracy: dict[str, Any] | None = None
        if self.accuracy is not None:
            figures = {**asdict(self.accuracy), "drop": self.accuracy.drop}
            accuracy = {key: round(value, 5) for key, value in figures.items()}
        return {
            "written": not self.refusal,
            "refusal": self.refusal,
            "engine": self.engine,
            "ranges": self.method,
            "output_errors": {method: _finite(error) for method, error in self.errors.items()},
            "max_output_error": MAX_OUTPUT_ERROR,
            "pictures_for_ranges": self.pictures_for_ranges,
            "pictures_for_errors": self.pictures_for_errors,
            "kept_apart": self.is_kept_apart,
            "skipped": self.skipped,
            "accuracy": accuracy,
        }

    def sentences(self) -> list[str]:
        """For people: how int8 was made and what it costs."""
        which = "pictures kept apart" if self.is_kept_apart else "of the calibration pictures themselves"
        others = [f"{method} {error:.2%}" for method, error in self.errors.items() if method != self.method]
        lines = [
            f"int8 ({self.engine}): ranges of {self.pictures_for_ranges} pictures by {self.method}; outputs differ "
            f"from float's by {self.error:.2%} of their range on {self.pictures_for_errors} {which} "
            f"({', '.join(others)})"
        ]
        if self.accuracy is not None:
            found = self.accuracy
            lines.append(
                f"AP on {found.pictures} pictures: float {found.float_ap:.4f}, int8 {found.int8_ap:.4f}; "
                f"{abs(found.drop):.4f} {'lower' if found.drop >= 0 else 'higher'}, {found.max_drop:g} lower is allowed"
            )
        elif not self.refusal:
            lines.append("AP was not measured; --annotations FILE --images DIR does, and leaves out an int8 that loses")
        return lines


def _finite(error: float) -> float | None:
    """JSON has no infinity."""
    return round(error, 6) if error != float("inf") else None
