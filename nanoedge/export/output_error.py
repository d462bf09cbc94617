"""How far a quantized network's outputs are from the float network's: one figure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BEST_PRIORS = 100


def output_error(outputs: npt.NDArray[np.float32], expected: npt.NDArray[np.float32], classes: int) -> float:
    """Root of the mean squared difference where boxes are found, as a share of the range of `expected` (0 included).

    Boxes come from the priors with the highest scores. So the 100 best of each picture count, and because a wrong box
    is an error as a missing one is, those that either network takes for the best.

    Args:
        outputs: [pictures, priors, channels], of the quantized network.
        expected: likewise, of the float network.
        classes: how many of the channels, from the first on, are class logits.

    Returns:
        0 for equal outputs; infinity where an output is not finite.
    """
    if not np.isfinite(outputs).all():
        return float("inf")
    squares, values = 0.0, 0
    for found, wanted in zip(outputs, expected, strict=True):
        rows = np.union1d(_best(found, classes), _best(wanted, classes))
        difference = found[rows].astype(np.float64) - wanted[rows]
        squares += float((difference**2).sum())
        values += difference.size
    spread = max(0.0, float(expected.max())) - min(0.0, float(expected.min()))
    return float(np.sqrt(squares / values)) / max(spread, 1e-12)


def _best(output: npt.NDArray[np.float32], classes: int) -> npt.NDArray[np.int64]:
    return np.argsort(-output[:, :classes].max(axis=1), kind="stable")[:BEST_PRIORS]
